/** Stack traces as an author wants them: the message and the lines of the DAG files, without the SDK's and Node's. */
import { fileURLToPath } from "node:url";
import { inspect } from "node:util";

const SDK_FOLDER = fileURLToPath(new URL(".", import.meta.url));
/** The prefix that the dag-processor gives to the sources in an artefact's source map. */
const SOURCE_PREFIX = /dags:\/+/g;

/** The trace of `error` as shown for an import error; the whole of it where no line of an author is in it. */
export function authorTrace(error: unknown): string {
  if (!(error instanceof Error)) return `Thrown: ${inspect(error, { depth: 2 })}`;
  const lines = traceOf(error).split("\n");
  const own = lines.filter((line) => !isFrame(line) || isAuthorFrame(line));
  const kept = own.some(isFrame) ? own : lines.filter((line) => !line.includes("node:internal"));
  return kept.join("\n").replaceAll(SOURCE_PREFIX, "");
}

function traceOf(error: Error): string {
  const cause =
    error.cause === undefined
      ? ""
      : `\nCaused by: ${error.cause instanceof Error ? traceOf(error.cause) : inspect(error.cause, { depth: 2 })}`;
  const stack = error.stack ?? "";
  const named = stack.includes(error.message) ? stack : `${error.name}: ${error.message}\n${stack}`;
  return named + cause;
}

function isFrame(line: string): boolean {
  return /^\s+at /.test(line);
}

function isAuthorFrame(line: string): boolean {
  return !line.includes("node:") && !line.includes(SDK_FOLDER);
}
