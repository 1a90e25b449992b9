/** Lines of a log file as text, one after the other, and what a line says. */
import type { LogLine, StructuredLogMessage } from "@updraft/contract";
import { chunksOf, type LineIndex, placeBefore } from "./line-index.ts";
import type { LogFile } from "./log-reader.ts";

/** The worker cuts lines long before; what others wrote may be longer. */
const LONGEST_LINE_BYTES = 256 * 1024;
const NEWLINE = 10;

export interface NumberedText {
  readonly n: number;
  readonly text: string;
}

/** Complete lines from line `from` on, and with `withTail` what stands behind the last newline. */
export async function* readLines(
  file: LogFile,
  index: LineIndex,
  from: number,
  withTail: boolean,
): AsyncGenerator<NumberedText> {
  const place = placeBefore(index, from);
  const end = withTail ? file.size : index.bytes;
  let n = place.line;
  let rest: Buffer = Buffer.alloc(0);
  for await (const { chunk } of chunksOf(file, place.offset, end)) {
    let start = 0;
    for (let newline = chunk.indexOf(NEWLINE); newline >= 0; newline = chunk.indexOf(NEWLINE, start)) {
      if (n >= from) yield { n, text: textOf(rest, chunk.subarray(start, newline)) };
      rest = Buffer.alloc(0);
      start = newline + 1;
      n += 1;
    }
    if (rest.length < LONGEST_LINE_BYTES) rest = Buffer.concat([rest, chunk.subarray(start)]);
  }
  if (withTail && rest.length > 0 && n >= from) yield { n, text: textOf(rest, Buffer.alloc(0)) };
}

function textOf(rest: Buffer, piece: Buffer): string {
  const whole = rest.length === 0 ? piece : Buffer.concat([rest, piece]);
  return whole.length > LONGEST_LINE_BYTES
    ? `${whole.subarray(0, LONGEST_LINE_BYTES).toString("utf8")}…`
    : whole.toString("utf8").replace(/\r$/, "");
}

/** A line as Airflow's structured message; one that is no JSON object is its own event. */
export function messageOf(text: string): StructuredLogMessage {
  try {
    const parsed: unknown = JSON.parse(text);
    if (isRecord(parsed)) return { ...parsed, event: typeof parsed.event === "string" ? parsed.event : text };
  } catch {
    // Not JSON: a line that something else wrote.
  }
  return { event: text };
}

const SHOWN_APART = new Set(["timestamp", "level", "logger", "event"]);

/** The same for the viewer: what the task added stands behind the event. */
export function logLineOf({ n, text }: NumberedText): LogLine {
  const message = messageOf(text);
  const added = Object.entries(message).filter(([name]) => !SHOWN_APART.has(name));
  const facts = added.map(([name, value]) => ` ${name}=${typeof value === "string" ? value : JSON.stringify(value)}`);
  return {
    n,
    timestamp: textOrNull(message.timestamp),
    level: textOrNull(message.level),
    logger: textOrNull(message.logger),
    event: message.event + facts.join(""),
  };
}

/** A line as a person reads it in a terminal. */
export function plainLineOf(text: string): string {
  const { timestamp, level, event } = logLineOf({ n: 0, text });
  const head = [timestamp === null ? "" : `[${timestamp}]`, level === null ? "" : level.toUpperCase()];
  return [...head, event].filter((part) => part !== "").join(" ");
}

function textOrNull(value: unknown): string | null {
  return typeof value === "string" ? value : null;
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}
