/** Errors by which a handler says how its try ends. */

/** Ends the try as `skipped`. */
export class SkipTask extends Error {
  override readonly name = "SkipTask";
}

/** Ends the try as `failed`, with no retry. */
export class FailTask extends Error {
  override readonly name: string = "FailTask";
}

/** Throws: the task is skipped. */
export function skip(reason: string): never {
  throw new SkipTask(reason);
}

/** Throws: the task fails, whatever retries are left. */
export function fail(reason: string): never {
  throw new FailTask(reason);
}
