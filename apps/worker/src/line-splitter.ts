/**
 * Turns chunks of output into whole lines. A line that never ends is handed on in pieces.
 */
import { StringDecoder } from "node:string_decoder";

const LONGEST_LINE = 64 * 1024;

export class LineSplitter {
  readonly #onLine: (line: string) => void;
  readonly #decoder = new StringDecoder("utf8");
  #rest = "";

  constructor(onLine: (line: string) => void) {
    this.#onLine = onLine;
  }

  push(chunk: string | Uint8Array): void {
    this.#rest += typeof chunk === "string" ? chunk : this.#decoder.write(Buffer.from(chunk));
    const lines = this.#rest.split("\n");
    this.#rest = lines.pop() ?? "";
    for (const line of lines) this.#onLine(line.endsWith("\r") ? line.slice(0, -1) : line);
    if (this.#rest.length >= LONGEST_LINE) this.flush();
  }

  /** Hands on what has no line end. */
  flush(): void {
    if (this.#rest !== "") this.#onLine(this.#rest);
    this.#rest = "";
  }
}
