/**
 * Where the author wrote something.
 *
 * Some mistakes show only when the whole Dag is read (a task never called, a field of the wrong type). The place of
 * the declaration is kept, so that such an error points at the author's line and not at the reader's.
 */
export interface CallSite {
  readonly stack?: string;
}

/** The stack above `caller`. V8 formats it only when it is read, so keeping it costs little. */
export function callSiteAbove(caller: (...args: never[]) => unknown): CallSite {
  const site: CallSite = {};
  Error.captureStackTrace(site, caller);
  return site;
}

/** An error whose frames are those of `site`. */
export function errorAt(site: CallSite, message: string): Error {
  const error = new Error(message);
  const frames = (site.stack ?? "").split("\n").filter((line) => line.trimStart().startsWith("at "));
  error.stack = [`Error: ${message}`, ...frames].join("\n");
  return error;
}
