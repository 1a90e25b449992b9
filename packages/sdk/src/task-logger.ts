/** `getLogger()`: structured records in the log of the running try. */
import type { JsonValue } from "./json.ts";
import type { LogLevel } from "./raw-client.ts";
import { scopeOrNull } from "./try-scope.ts";

type LogMethod = (event: string, fields?: Readonly<Record<string, JsonValue>>) => void;
export type TaskLogger = Readonly<Record<LogLevel, LogMethod>>;

/**
 * A logger that finds the running try at each call, so one made at the top of a file serves all its tasks. Outside a
 * try its records go to stderr.
 */
export function getLogger(name = "task"): TaskLogger {
  const at =
    (level: LogLevel): LogMethod =>
    (event, fields = {}) => {
      const scope = scopeOrNull();
      if (scope !== null) scope.log(level, event, { ...fields, logger: name });
      else process.stderr.write(`${level} ${name}: ${event}\n`);
    };
  return Object.freeze({ debug: at("debug"), info: at("info"), warning: at("warning"), error: at("error") });
}
