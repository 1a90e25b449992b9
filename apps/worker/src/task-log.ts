/**
 * The log file of one try: a JSON object a line, appended at once so that a reader follows live and a killed process
 * loses nothing. The supervisor and the task process append to the same file; a line is one write, so lines never mix.
 */
import { closeSync, mkdirSync, openSync, writeSync } from "node:fs";
import { dirname } from "node:path";
import type { SecretMasker } from "@updraft/execution-client";

export type TaskLogLevel = "debug" | "info" | "warning" | "error" | "critical";

export interface TaskLogRecord {
  readonly timestamp: string;
  readonly level: TaskLogLevel;
  /** May hold several lines; each becomes a record of its own. */
  readonly event: string;
  readonly logger: string;
  /** Further facts, kept beside the event. */
  readonly [field: string]: unknown;
}

export interface TaskLogOptions {
  readonly path: string;
  readonly masker: SecretMasker;
  /** Records beyond are dropped after a mark; Infinity for the supervisor's few lines. */
  readonly maxBytes: number;
  /** Hears once that the log can't be written, as on a full disk. The try goes on without it. */
  readonly onError: (error: Error) => void;
}

const LONGEST_LINE = 64 * 1024;

export class TaskLog {
  readonly #options: TaskLogOptions;
  #file: number | undefined;
  #isOpen = false;
  /** Waits for the next record, or for the next turn of the event loop. */
  #soon = "";
  #written = 0;
  #broken = false;
  #closed = false;

  constructor(options: TaskLogOptions) {
    this.#options = options;
  }

  /** Making the file takes longer than many a task; a record that tells nothing of the task doesn't hold it up. */
  writeSoon(record: TaskLogRecord): void {
    this.#soon += recordsOf(record, this.#options.masker);
    setImmediate(() => this.#append(""));
  }

  write(record: TaskLogRecord): void {
    if (this.#closed || this.#written > this.#options.maxBytes) return;
    const lines = recordsOf(record, this.#options.masker);
    this.#append(lines);
    if (this.#written > this.#options.maxBytes) this.#append(truncationMark(record, this.#options.maxBytes));
  }

  /** Nothing is written from now on, also by who still holds the log. */
  close(): void {
    if (this.#closed) return;
    this.#append("");
    this.#closed = true;
    const file = this.#file;
    if (file !== undefined) this.#attempt(() => closeSync(file));
  }

  #append(text: string): void {
    const whole = this.#soon + text;
    this.#soon = "";
    if (whole === "" || this.#closed) return;
    this.#open();
    const file = this.#file;
    if (file === undefined) return;
    const bytes = Buffer.from(whole);
    this.#written += bytes.length;
    this.#attempt(() => writeSync(file, bytes));
  }

  #open(): void {
    if (this.#isOpen) return;
    this.#isOpen = true;
    const { path } = this.#options;
    this.#file = this.#attempt(() => {
      mkdirSync(dirname(path), { recursive: true });
      return openSync(path, "a");
    });
  }

  #attempt<T>(action: () => T): T | undefined {
    try {
      return action();
    } catch (error) {
      if (!this.#broken) this.#options.onError(error instanceof Error ? error : new Error(String(error)));
      this.#broken = true;
      return undefined;
    }
  }
}

/** A record as NDJSON: secrets masked before lines are cut, so that none is cut in two. */
function recordsOf({ timestamp, level, event, ...fields }: TaskLogRecord, masker: SecretMasker): string {
  const rest = masker.maskValue(fields) as object;
  return masker
    .mask(event)
    .split(/\r?\n/)
    .flatMap(pieces)
    .map((line) => `${JSON.stringify({ timestamp, level, event: line, ...rest })}\n`)
    .join("");
}

function pieces(line: string): string[] {
  if (line.length <= LONGEST_LINE) return [line];
  const count = Math.ceil(line.length / LONGEST_LINE);
  return Array.from({ length: count }, (_, index) => line.slice(index * LONGEST_LINE, (index + 1) * LONGEST_LINE));
}

function truncationMark({ timestamp }: TaskLogRecord, maxBytes: number): string {
  const event = `The log is longer than ${maxBytes} bytes (UPDRAFT__LOGGING__MAX_FILE_MB); the rest is left out.`;
  return `${JSON.stringify({ timestamp, level: "warning", event, logger: "updraft.worker", truncated: true })}\n`;
}
