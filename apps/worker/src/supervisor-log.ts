/**
 * What the supervisor adds to the log of a try: output that came past the console, and how a try ended by force. The
 * file is opened only when there is something to write, which a plain try never has.
 */

import { SecretMasker } from "@updraft/execution-client";
import type { Clock, Logger } from "@updraft/service-kit";
import { TaskLog, type TaskLogLevel } from "./task-log.ts";
import type { TaskProcess, TryListener } from "./task-process-handle.ts";

export interface SupervisorLog {
  write(level: TaskLogLevel, event: string): void;
  listenerFor(process: TaskProcess): TryListener;
  /** `close` waits for it. */
  keepOpenUntil(promise: Promise<void>): void;
  close(): void;
}

/** Secrets outlive the try that fetched them, like what the author keeps at the top of a file. */
const maskers = new WeakMap<TaskProcess, SecretMasker>();

export function createSupervisorLog(path: string, clock: Clock, logger: Logger): SupervisorLog {
  let log: TaskLog | undefined;
  let masker = new SecretMasker();
  let finished: Promise<unknown> = Promise.resolve();

  function write(level: TaskLogLevel, event: string, name = "updraft.worker"): void {
    log ??= new TaskLog({
      path,
      masker,
      maxBytes: Number.POSITIVE_INFINITY,
      onError: (error) => logger.error({ err: error, path }, "the log of a try can't be written"),
    });
    log.write({ timestamp: new Date(clock.now()).toISOString(), level, event, logger: name });
  }

  return {
    write: (level, event) => write(level, event),
    listenerFor(process) {
      masker = maskerOf(process);
      return {
        onOutput: (line, level) => write(level, line, level === "error" ? "task.stderr" : "task.stdout"),
        onSecret: (value) => void masker.add(value),
      };
    },
    keepOpenUntil(promise) {
      finished = promise;
    },
    close() {
      void finished.then(() => log?.close());
    },
  };
}

function maskerOf(process: TaskProcess): SecretMasker {
  const known = maskers.get(process) ?? new SecretMasker();
  maskers.set(process, known);
  return known;
}
