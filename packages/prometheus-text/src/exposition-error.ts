/** The one error of this package: where an exposition stops being one, and what was expected there. */

/** Thrown for input that breaks the format. The position names the first byte that can't be right. */
export class ExpositionError extends Error {
  override readonly name = "ExpositionError";
  /** 1-based. */
  readonly line: number;
  /** 1-based, counted in characters of the line. */
  readonly column: number;
  /** What would have been right, such as `a label name`. */
  readonly expected: string;
  /** What stands there, such as `"="` or `the end of the input`. */
  readonly found: string;

  constructor(position: { line: number; column: number }, expected: string, found: string) {
    super(`line ${position.line}, column ${position.column}: expected ${expected}, found ${found}`);
    this.line = position.line;
    this.column = position.column;
    this.expected = expected;
    this.found = found;
  }
}
