/**
 * Errors of the kit that reach a user: each says what was tried, on what, and the way out.
 */

/** The configuration can't be used. The message lists every problem, one a line, and never holds a secret. */
export class ConfigError extends Error {
  readonly problems: readonly string[];

  constructor(problems: readonly string[]) {
    super(`The configuration can't be used:\n${problems.map((problem) => `  - ${problem}`).join("\n")}`);
    this.name = "ConfigError";
    this.problems = problems;
  }
}
