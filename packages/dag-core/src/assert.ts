/** Programmer errors: impossible input throws, in production too. */

/** Throws when a value the callers promise never to send arrives. */
export function assert(condition: boolean, message: string): asserts condition {
  if (!condition) throw new Error(`Impossible state: ${message}`);
}

/** Ends a `switch` over a union: the compiler proves that nothing is left. */
export function assertNever(value: never): never {
  throw new Error(`Impossible state: unexpected ${JSON.stringify(value)}`);
}
