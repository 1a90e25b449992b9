/** The log of one try as a reader sees it now: how long it is, windows of its lines, and a search through all of it. */
import type { LogLine, LogLinesResponse } from "@updraft/contract";
import { type TaskLogKey, taskLogPath } from "@updraft/service-kit";
import { emptyIndex, type LineIndex, updateIndex } from "./line-index.ts";
import type { LogFile, LogReader } from "./log-reader.ts";
import { logLineOf, type NumberedText, readLines } from "./read-lines.ts";

export interface LogView {
  readonly totalLines: number;
  /** Lines from `from` on, at most `limit`, fewer where they are long; with `levels` only lines of those. */
  window(from: number, limit: number, levels?: readonly string[]): Promise<LogLine[]>;
  search(wanted: LogSearch): Promise<NonNullable<LogLinesResponse["matches"]>>;
  texts(from: number): AsyncGenerator<NumberedText>;
  close(): Promise<void>;
}

interface LogSearch {
  /** Without case; empty finds everything. */
  readonly text: string;
  /** Empty: every level. */
  readonly levels: readonly string[];
}

export interface LogViews {
  /** Null where there is no log. `isOver`: nobody writes any more, so that a last line without a newline counts. */
  open(key: TaskLogKey, hostname: string | null, isOver: boolean): Promise<LogView | null>;
}

const MOST_WINDOW_CHARACTERS = 4 * 1024 * 1024;
const MOST_MATCHES = 10_000;
const MOST_INDEXES = 200;

export function createLogViews(reader: LogReader): LogViews {
  /** In order of last use, so that the first is the one to forget. */
  const indexes = new Map<string, LineIndex>();

  async function indexOf(path: string, file: LogFile): Promise<LineIndex> {
    const index = await updateIndex(indexes.get(path) ?? emptyIndex(file.identity), file);
    indexes.delete(path);
    indexes.set(path, index);
    const oldest = indexes.keys().next().value;
    if (indexes.size > MOST_INDEXES && oldest !== undefined) indexes.delete(oldest);
    return index;
  }

  return {
    async open(key, hostname, isOver) {
      const file = await reader.open(key, hostname);
      if (file === null) return null;
      try {
        return viewOf(file, await indexOf(taskLogPath(key), file), isOver);
      } catch (error) {
        await file.close();
        throw error;
      }
    },
  };
}

function viewOf(file: LogFile, index: LineIndex, isOver: boolean): LogView {
  const hasTail = isOver && file.size > index.bytes;
  const texts = (from: number) => readLines(file, index, from, hasTail);
  return {
    totalLines: index.lines + (hasTail ? 1 : 0),
    texts,
    async window(from, limit, levels = []) {
      const wantedLevels = levelSet(levels);
      const lines: LogLine[] = [];
      let characters = 0;
      if (limit <= 0) return lines;
      for await (const text of texts(from)) {
        const line = logLineOf(text);
        if (!passes(line, "", wantedLevels)) continue;
        lines.push(line);
        characters += text.text.length;
        if (lines.length >= limit || characters > MOST_WINDOW_CHARACTERS) break;
      }
      return lines;
    },
    async search({ text, levels }) {
      const wantedText = text.toLowerCase();
      const wantedLevels = levelSet(levels);
      const found: number[] = [];
      let total = 0;
      for await (const line of texts(0)) {
        // The raw text is looked at first: taking every line apart would cost ten times as much.
        if (wantedText !== "" && !mayContain(line.text, wantedText)) continue;
        if (!passes(logLineOf(line), wantedText, wantedLevels)) continue;
        total += 1;
        if (found.length < MOST_MATCHES) found.push(line.n);
      }
      return { total, lines: found, truncated: total > found.length };
    },
    close: () => file.close(),
  };
}

function levelSet(levels: readonly string[]): ReadonlySet<string> {
  return new Set(levels.map((level) => level.toLowerCase()));
}

/** In JSON, some characters of a text are written in another way; with those, only the parsed line can tell. */
function mayContain(raw: string, wanted: string): boolean {
  return /["\\/]|[^\x20-\x7e]/.test(wanted) || raw.includes("\\u") || raw.toLowerCase().includes(wanted);
}

function passes(line: LogLine, text: string, levels: ReadonlySet<string>): boolean {
  if (levels.size > 0 && !levels.has((line.level ?? "").toLowerCase())) return false;
  return text === "" || line.event.toLowerCase().includes(text);
}
