/**
 * Where the lines of a growing file begin: the offset of every 512th. A file of a million lines costs one quick pass and
 * some kilobytes; what was indexed is never read again for counting.
 */
import type { LogFile } from "./log-reader.ts";

const STEP = 512;
/** Small, so that a long search lets other requests through often. */
const CHUNK_BYTES = 256 * 1024;
const NEWLINE = 10;

/** What is known of one file. `update` continues where the last one ended. */
export interface LineIndex {
  readonly identity: string;
  /** Offsets of lines 0, 512, 1024 ... */
  readonly marks: readonly number[];
  /** Complete lines. */
  readonly lines: number;
  /** Behind the last complete line. */
  readonly bytes: number;
}

export function emptyIndex(identity: string): LineIndex {
  return { identity, marks: [0], lines: 0, bytes: 0 };
}

/** `index` brought up to the end of `file`; it starts anew where the file is another one. */
export async function updateIndex(index: LineIndex, file: LogFile): Promise<LineIndex> {
  const isSame = index.identity === file.identity && file.size >= index.bytes;
  const known = isSame ? index : emptyIndex(file.identity);
  const marks = [...known.marks];
  let { lines, bytes } = known;
  for await (const { chunk, position } of chunksOf(file, known.bytes, file.size)) {
    for (let end = chunk.indexOf(NEWLINE); end >= 0; end = chunk.indexOf(NEWLINE, end + 1)) {
      lines += 1;
      bytes = position + end + 1;
      if (lines % STEP === 0) marks.push(bytes);
    }
  }
  return { identity: file.identity, marks, lines, bytes };
}

/** A known place at or before line `n`. */
export function placeBefore(index: LineIndex, n: number): { readonly line: number; readonly offset: number } {
  const mark = Math.min(Math.floor(n / STEP), index.marks.length - 1);
  return { line: mark * STEP, offset: index.marks[mark] ?? 0 };
}

export interface Chunk {
  readonly chunk: Buffer;
  readonly position: number;
}

/** The bytes from `start` to `end` in pieces. */
export async function* chunksOf(file: LogFile, start: number, end: number): AsyncGenerator<Chunk> {
  for (let position = start; position < end; ) {
    const chunk = await file.read(position, Math.min(CHUNK_BYTES, end - position));
    if (chunk.length === 0) return;
    yield { chunk, position };
    position += chunk.length;
  }
}
