/** From a DAG file to its artefact: one module with everything the author's code imports, except the product's own. */
import { createHash } from "node:crypto";
import { readFile } from "node:fs/promises";
import { isAbsolute, relative, resolve } from "node:path";
import { EXTERNAL_SPECIFIERS } from "@updraft/sdk/host";
import { type BuildFailure, build, type Message } from "esbuild";

export interface BundledFile {
  readonly code: string;
  /** SHA-256 of the code, in hex. */
  readonly hash: string;
  /** Absolute paths of everything that went into it. */
  readonly inputs: readonly string[];
  readonly source: string;
}

/** The file can't be bundled; the message points at the author's lines. */
export class BundleError extends Error {
  constructor(messages: readonly Message[], file: string) {
    super(messages.map((message) => describe(message, file)).join("\n\n"));
    this.name = "BundleError";
  }
}

/** The prefix of sources in the source map, which the SDK takes off in traces. */
const SOURCE_ROOT = "dags://";

export async function bundleFile(dagsFolder: string, relativePath: string): Promise<BundledFile> {
  const file = resolve(dagsFolder, relativePath);
  try {
    const result = await build({
      entryPoints: [file],
      absWorkingDir: dagsFolder,
      bundle: true,
      write: false,
      metafile: true,
      format: "esm",
      platform: "node",
      target: "node24",
      external: [...EXTERNAL_SPECIFIERS],
      sourcemap: "inline",
      sourceRoot: SOURCE_ROOT,
      keepNames: true,
      logLevel: "silent",
      outfile: "artefact.mjs",
      // Packages in CommonJS find `require` in an ES module.
      banner: {
        js: 'import { createRequire as __createRequire } from "node:module"; const require = __createRequire(import.meta.url);',
      },
    });
    const code = result.outputFiles[0]?.text ?? "";
    const inputs = Object.keys(result.metafile.inputs).map((path) =>
      isAbsolute(path) ? path : resolve(dagsFolder, path),
    );
    const source = await readFile(file, "utf8");
    return { code, hash: createHash("sha256").update(code).digest("hex"), inputs, source };
  } catch (error) {
    if (isBuildFailure(error)) throw new BundleError(error.errors, file);
    throw error;
  }
}

function isBuildFailure(error: unknown): error is BuildFailure {
  return error instanceof Error && Array.isArray((error as BuildFailure).errors);
}

function describe({ text, location, notes }: Message, file: string): string {
  if (location === null) return `${relative(resolve(file, ".."), file)}: ${text}`;
  const { file: path, line, column, lineText } = location;
  const hints = notes.map((note) => `\n  ${note.text}`).join("");
  return `${path}:${line}:${column + 1}: ${text}\n  ${lineText}\n  ${" ".repeat(column)}^${hints}`;
}
