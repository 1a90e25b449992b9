/**
 * A position in the bytes of an exposition and the steps both formats take from it.
 *
 * One pass, no backtracking over more than a token. Lines and columns are not counted on the way; an error counts them
 * once, from the offset.
 */
import { ExpositionError } from "./exposition-error.ts";
import { decodeUtf8, invalidUtf8At } from "./utf8.ts";

/** @internal Bytes with a meaning in either format. */
export const byte = {
  tab: 0x09,
  lineFeed: 0x0a,
  space: 0x20,
  quote: 0x22,
  hash: 0x23,
  comma: 0x2c,
  equals: 0x3d,
  backslash: 0x5c,
  openBrace: 0x7b,
  closeBrace: 0x7d,
} as const;

/** What stands at the end of the input in place of a byte. */
const endOfInput = -1;

const labelStart = 1;
const nameStart = 2;
const labelPart = 4;
const namePart = 8;

const classes = buildClasses();

/** @internal How a backslash before any other byte than `\`, `n` and `"` is treated: refused, or kept as it stands. */
export type EscapeRule = "strict" | "verbatim";

/** @internal */
export class Scanner {
  readonly bytes: Uint8Array;
  readonly end: number;
  position = 0;

  constructor(bytes: Uint8Array) {
    this.bytes = bytes;
    this.end = bytes.length;
  }

  /** The byte at the position, -1 at the end of the input. */
  peek(): number {
    return this.position < this.end ? (this.bytes[this.position] as number) : endOfInput;
  }

  skipBlanks(): void {
    const { bytes, end } = this;
    let at = this.position;
    while (at < end && (bytes[at] === byte.space || bytes[at] === byte.tab)) at++;
    this.position = at;
  }

  /** Moves to the next blank, tab or line feed. */
  skipToken(): void {
    const { bytes, end } = this;
    let at = this.position;
    while (at < end) {
      const current = bytes[at] as number;
      if (current === byte.space || current === byte.lineFeed || current === byte.tab) break;
      at++;
    }
    this.position = at;
  }

  /** Moves to the next line feed or the end. */
  skipLine(): void {
    const at = this.bytes.indexOf(byte.lineFeed, this.position);
    this.position = at < 0 ? this.end : at;
  }

  /** Takes one byte or fails. */
  expect(wanted: number, expected: string): void {
    if (this.peek() !== wanted) this.fail(expected);
    this.position++;
  }

  /** An unquoted metric name: `[a-zA-Z_:][a-zA-Z0-9_:]*`; empty if none starts here. */
  metricName(): string {
    return this.#name(nameStart, namePart);
  }

  /** An unquoted label name: `[a-zA-Z_][a-zA-Z0-9_]*`; empty if none starts here. */
  labelName(): string {
    return this.#name(labelStart, labelPart);
  }

  /** A quoted string with its escapes resolved. The position is at the opening quote. */
  quoted(rule: EscapeRule, what: string): string {
    const start = this.position + 1;
    let at = start;
    let escaped = false;
    for (; ; at++) {
      const current = at < this.end ? (this.bytes[at] as number) : endOfInput;
      if (current === byte.quote) break;
      if (current === byte.lineFeed || current === endOfInput) this.fail(`'"' at the end of ${what}`, at);
      if (current === byte.backslash) {
        escaped = true;
        if (at + 1 < this.end && this.bytes[at + 1] !== byte.lineFeed) at++;
      }
    }
    const text = escaped ? this.unescape(start, at, rule) : this.text(start, at);
    this.position = at + 1;
    return text;
  }

  /** Text of a range with `\\`, `\n` and `\"` resolved. */
  unescape(start: number, end: number, rule: EscapeRule): string {
    const plain = new Uint8Array(end - start);
    let length = 0;
    for (let at = start; at < end; at++) {
      const current = this.bytes[at] as number;
      const resolved = current === byte.backslash && at + 1 < end ? unescaped(this.bytes[at + 1] as number) : 0;
      if (resolved !== 0) at++;
      else if (current === byte.backslash && rule === "strict") this.fail('one of the escapes \\\\, \\n and \\"', at);
      plain[length++] = resolved === 0 ? current : resolved;
    }
    this.checkUtf8(start, end);
    return decodeUtf8(plain, 0, length);
  }

  /** Text of a range, which must be UTF-8. */
  text(start: number, end: number): string {
    this.checkUtf8(start, end);
    return decodeUtf8(this.bytes, start, end);
  }

  checkUtf8(start: number, end: number): void {
    const invalid = invalidUtf8At(this.bytes, start, end);
    if (invalid >= 0) this.fail("UTF-8", invalid);
  }

  /**
   * Throws: `expected` should stand at the offset, and something else does. Callers declare their variable's type
   * (`const scanner: Scanner`), as the compiler believes `never` only of declared types.
   */
  fail(expected: string, at: number = this.position): never {
    throw new ExpositionError(this.#lineAndColumn(at), expected, this.#describe(at));
  }

  #name(startClass: number, partClass: number): string {
    const { bytes, end } = this;
    const start = this.position;
    if (start >= end || ((classes[bytes[start] as number] as number) & startClass) === 0) return "";
    let at = start + 1;
    while (at < end && ((classes[bytes[at] as number] as number) & partClass) !== 0) at++;
    this.position = at;
    return decodeUtf8(bytes, start, at);
  }

  #lineAndColumn(at: number): { line: number; column: number } {
    let line = 1;
    let lineStart = 0;
    for (let feed = this.bytes.indexOf(byte.lineFeed); feed >= 0 && feed < at; ) {
      line++;
      lineStart = feed + 1;
      feed = this.bytes.indexOf(byte.lineFeed, lineStart);
    }
    let column = 1;
    for (const _ of decodeUtf8(this.bytes, lineStart, at)) column++;
    return { line, column };
  }

  #describe(at: number): string {
    if (at >= this.end) return "the end of the input";
    const current = this.bytes[at] as number;
    if (current === byte.lineFeed) return "the end of the line";
    if (current < 0x20 || current >= 0x7f) return `byte 0x${current.toString(16).padStart(2, "0")}`;
    return JSON.stringify(String.fromCharCode(current));
  }
}

function unescaped(letter: number): number {
  if (letter === 0x6e) return byte.lineFeed;
  return letter === byte.backslash || letter === byte.quote ? letter : 0;
}

function buildClasses(): Uint8Array {
  const table = new Uint8Array(256);
  for (let code = 0; code < 128; code++) {
    const letter = (code >= 0x41 && code <= 0x5a) || (code >= 0x61 && code <= 0x7a) || code === 0x5f;
    const digit = code >= 0x30 && code <= 0x39;
    const colon = code === 0x3a;
    if (letter) table[code] = labelStart | nameStart | labelPart | namePart;
    if (digit) table[code] = labelPart | namePart;
    if (colon) table[code] = nameStart | namePart;
  }
  return table;
}
