/**
 * Lines out of chunks of bytes.
 *
 * A character split over two chunks stays whole. A line that doesn't end is handed on in pieces of `maxLength`, so a
 * program that never writes a newline can't fill the memory.
 */
import { StringDecoder } from "node:string_decoder";

const MAX_LINE_LENGTH = 64 * 1024;

export class LineSplitter {
  readonly #onLine: (line: string) => void;
  readonly #maxLength: number;
  readonly #decoder = new StringDecoder("utf8");
  #partial = "";

  constructor(onLine: (line: string) => void, maxLength = MAX_LINE_LENGTH) {
    this.#onLine = onLine;
    this.#maxLength = maxLength;
  }

  write(chunk: string | Uint8Array): void {
    const text = typeof chunk === "string" ? chunk : this.#decoder.write(Buffer.from(chunk));
    const lines = (this.#partial + text).split("\n");
    this.#partial = lines.pop() ?? "";
    for (const line of lines) this.#emit(line);
    while (this.#partial.length > this.#maxLength) {
      this.#onLine(this.#partial.slice(0, this.#maxLength));
      this.#partial = this.#partial.slice(this.#maxLength);
    }
  }

  /** Hands on what came after the last newline. */
  end(): void {
    this.#partial += this.#decoder.end();
    if (this.#partial !== "") this.#emit(this.#partial);
    this.#partial = "";
  }

  #emit(line: string): void {
    const whole = line.endsWith("\r") ? line.slice(0, -1) : line;
    for (let from = 0; from === 0 || from < whole.length; from += this.#maxLength) {
      this.#onLine(whole.slice(from, from + this.#maxLength));
    }
  }
}
