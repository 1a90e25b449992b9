/**
 * What a handler prints, as records of its own try.
 *
 * The streams of the process are shared by all tries that run in it; the scope of the printing code tells whose line it
 * is. What a finished try's left-over code prints is dropped with its log.
 */
import { LineSplitter } from "./line-splitter.ts";
import type { LogLevel } from "./raw-client.ts";
import { scopeOrNull, type TryScope } from "./try-scope.ts";

interface Splitters {
  readonly stdout: LineSplitter;
  readonly stderr: LineSplitter;
}

const splittersByScope = new WeakMap<TryScope, Splitters>();
let installed = false;

/** Routes stdout and stderr of running tries into their logs; other code prints as before. */
export function captureOutput(): void {
  if (installed) return;
  installed = true;
  redirect("stdout");
  redirect("stderr");
}

/** Logs what a try printed after its last newline. */
export function flushOutput(scope: TryScope): void {
  const splitters = splittersByScope.get(scope);
  splitters?.stdout.end();
  splitters?.stderr.end();
}

function redirect(name: "stdout" | "stderr"): void {
  const stream = process[name];
  const original = stream.write.bind(stream);
  const write = (chunk: string | Uint8Array, encoding?: unknown, callback?: unknown): boolean => {
    const scope = scopeOrNull();
    // The stream's own overloads take the callback as second or third argument; both pass through untouched.
    if (scope === null) return original(chunk, encoding as BufferEncoding, callback as () => void);
    const isText = typeof chunk === "string" && typeof encoding === "string" && encoding !== "utf8";
    splittersOf(scope)[name].write(isText ? Buffer.from(chunk, encoding as BufferEncoding) : chunk);
    const done = typeof encoding === "function" ? encoding : callback;
    if (typeof done === "function") queueMicrotask(() => done());
    return true;
  };
  stream.write = write;
}

function splittersOf(scope: TryScope): Splitters {
  const known = splittersByScope.get(scope);
  if (known !== undefined) return known;
  const to = (level: LogLevel, logger: string) => new LineSplitter((line) => scope.log(level, line, { logger }));
  const splitters = { stdout: to("info", "task.stdout"), stderr: to("error", "task.stderr") };
  splittersByScope.set(scope, splitters);
  return splitters;
}
