/**
 * What becomes of DAG files. A file is read again only when something that went into it changed, known by size and
 * time first and by content then; unchanged files cost a `stat` of their inputs.
 */
import { mkdir, rm, stat, writeFile } from "node:fs/promises";
import { join, resolve } from "node:path";
import type { Announcer, DagFileStore, ParsedFile } from "@updraft/metadata-store";
import type { Clock, Config, Logger } from "@updraft/service-kit";
import { type BundledFile, BundleError, bundleFile } from "./bundle-file.ts";
import { listDagFiles } from "./dag-folder.ts";
import type { ParseAnswer } from "./parse-child/protocol.ts";
import type { ParseProcesses } from "./parse-processes.ts";

export interface ProcessorOptions {
  readonly config: Config;
  readonly store: DagFileStore;
  readonly announcer: Announcer;
  readonly parser: ParseProcesses;
  readonly logger: Logger;
  readonly clock: Clock;
  /** Hears how long a file took, in seconds. */
  readonly onParsed: (seconds: number) => void;
}

export const BUNDLE_NAME = "dags-folder";
const MOST_FILES = 10_000;

interface KnownFile {
  /** Size and time of every input, by path. */
  readonly inputs: ReadonlyMap<string, string>;
  /** Of the artefact that was stored last; empty after an error. */
  readonly hash: string;
}

export class Processor {
  readonly #options: ProcessorOptions;
  readonly #known = new Map<string, KnownFile>();
  #listed = "";

  constructor(options: ProcessorOptions) {
    this.#options = options;
  }

  /** Brings the store up to date with the folder. */
  async processAll(): Promise<void> {
    const { config, store, announcer } = this.#options;
    const files = await listDagFiles(config.dagsFolder, MOST_FILES);
    for (const file of files) await this.#processIfChanged(file);
    const listed = files.join("\n");
    if (listed === this.#listed) return;
    const present = new Set(files);
    for (const file of this.#known.keys()) if (!present.has(file)) this.#known.delete(file);
    announcer.announce(await store.removeFilesExcept(BUNDLE_NAME, files));
    this.#listed = listed;
  }

  async #processIfChanged(file: string): Promise<void> {
    const known = this.#known.get(file);
    if (known !== undefined && (await isUnchanged(known.inputs))) return;
    try {
      await this.#process(file, known?.hash ?? "");
    } catch (error) {
      // The store may be away; the file is looked at again with the next sweep.
      this.#known.delete(file);
      throw error;
    }
  }

  async #process(file: string, lastHash: string): Promise<void> {
    const { config, logger, clock, onParsed } = this.#options;
    const begun = clock.now();
    const path = resolve(config.dagsFolder, file);
    // Taken before the file is read: a change in between is then seen as one.
    const before = await statOf(path);
    const bundled = await this.#bundle(file);
    if (bundled === null) {
      this.#known.set(file, { inputs: new Map([[path, before]]), hash: "" });
      return;
    }
    const inputs = new Map(
      await Promise.all(bundled.inputs.map(async (input) => [input, await statOf(input)] as const)),
    );
    inputs.set(path, before);
    if (bundled.hash === lastHash) {
      this.#known.set(file, { inputs, hash: bundled.hash });
      return;
    }
    const answer = await this.#parse(file, bundled);
    const seconds = (clock.now() - begun) / 1000;
    await this.#save(file, bundled, answer, seconds);
    onParsed(seconds);
    logger.info({ file, seconds, outcome: answer.kind }, "read a DAG file");
    this.#known.set(file, { inputs, hash: answer.kind === "failed" ? "" : bundled.hash });
  }

  /** Null where the file can't be bundled; that is stored as its import error. */
  async #bundle(file: string): Promise<BundledFile | null> {
    try {
      return await bundleFile(this.#options.config.dagsFolder, file);
    } catch (error) {
      if (!(error instanceof BundleError)) throw error;
      await this.#saveError(file, error.message);
      return null;
    }
  }

  async #parse(file: string, bundled: BundledFile): Promise<ParseAnswer> {
    const { config, parser } = this.#options;
    const folder = join(config.dataFolder, "parse");
    const artefact = join(folder, `${bundled.hash}.mjs`);
    await mkdir(folder, { recursive: true });
    await writeFile(artefact, bundled.code);
    try {
      const {
        maxActiveRunsPerDag: maxActiveRuns,
        maxActiveTasksPerDag: maxActiveTasks,
        catchupByDefault: catchup,
      } = config;
      return await parser.parse({
        artefact_path: artefact,
        options: { relativeFileloc: file, defaults: { maxActiveRuns, maxActiveTasks, catchup } },
      });
    } finally {
      await rm(artefact, { force: true });
    }
  }

  async #save(file: string, bundled: BundledFile, answer: ParseAnswer, seconds: number): Promise<void> {
    if (answer.kind === "failed") return this.#saveError(file, answer.stack_trace);
    // A module that exports something is there for others to import.
    if (answer.kind === "no_bundle" && answer.exports.length === 0) return this.#saveError(file, answer.message);
    const { store, announcer, config } = this.#options;
    const parsed: ParsedFile = {
      relative_fileloc: file,
      fileloc: resolve(config.dagsFolder, file),
      bundle_name: BUNDLE_NAME,
      dags: answer.kind === "parsed" ? answer.dags : [],
      artefact_hash: bundled.hash,
      artefact_code: bundled.code,
      source_code: bundled.source,
      parse_duration_seconds: seconds,
      errors: answer.kind === "parsed" ? answer.errors : [],
    };
    announcer.announce(await store.saveParsedFile(parsed));
  }

  async #saveError(file: string, stackTrace: string): Promise<void> {
    const { store, announcer, config, logger } = this.#options;
    logger.warn({ file }, "a DAG file has an import error");
    const fileloc = resolve(config.dagsFolder, file);
    const error = { relative_fileloc: file, fileloc, bundle_name: BUNDLE_NAME, stack_trace: stackTrace };
    announcer.announce(await store.saveImportError(error));
  }
}

async function isUnchanged(inputs: ReadonlyMap<string, string>): Promise<boolean> {
  for (const [path, known] of inputs) if ((await statOf(path)) !== known) return false;
  return true;
}

/** Size and time of a file; empty where it is gone. */
async function statOf(path: string): Promise<string> {
  try {
    const { size, mtimeMs } = await stat(path);
    return `${size}:${mtimeMs}`;
  } catch {
    return "";
  }
}
