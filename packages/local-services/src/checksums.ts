/** Pinned SHA-256 sums: what was fetched is run only if it is byte for byte what was tried. */
import { createHash } from "node:crypto";
import { createReadStream, existsSync } from "node:fs";
import { readdir } from "node:fs/promises";
import { join } from "node:path";
import { pipeline } from "node:stream/promises";
import { ServerError } from "./server-error.ts";

/** File name → SHA-256 in hex. */
export type Pins = Readonly<Record<string, string>>;

/** Throws unless the folder holds exactly the pinned files with the pinned contents. */
export async function verifyFolder(folder: string, pins: Pins): Promise<void> {
  const extra = (await readdir(folder)).filter((file) => pins[file] === undefined);
  if (extra.length > 0) throw mismatch(`What was fetched holds files nobody pinned: ${extra.join(", ")}`);
  for (const file of Object.keys(pins)) await verifyFile(folder, file, pins);
}

export async function verifyFile(folder: string, file: string, pins: Pins): Promise<void> {
  const expected = pins[file];
  if (expected === undefined) throw mismatch(`There is no pinned sum for ${file}`);
  if (!existsSync(join(folder, file))) throw mismatch(`What was fetched lacks ${file}`);
  const hash = createHash("sha256");
  await pipeline(createReadStream(join(folder, file)), hash);
  const found = hash.digest("hex");
  if (found !== expected) throw mismatch(`${file} has SHA-256 ${found} in place of the pinned ${expected}`);
}

function mismatch(problem: string): ServerError {
  return new ServerError(
    problem,
    "Start again; if it stays so, the source changed its files, and they must not be run.",
  );
}
