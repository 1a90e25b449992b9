/** Waits until a file may have grown. The watch is a hint: where it says nothing, time does. */
import { type FSWatcher, watch } from "node:fs";

export interface FileChange {
  /** Resolves at a change, after `longestMs` at the latest, or when `signal` aborts. */
  next(longestMs: number, signal: AbortSignal): Promise<void>;
  /** Ends the wait early, or the next one. */
  poke(): void;
  close(): void;
}

/** `path` may not exist yet, and may be undefined where the file is elsewhere. */
export function watchFile(path: string | undefined): FileChange {
  let watcher: FSWatcher | undefined;
  let changed = false;
  let wake: (() => void) | undefined;
  const poke = () => {
    changed = true;
    wake?.();
  };

  function startWatch(): void {
    if (watcher !== undefined || path === undefined) return;
    try {
      watcher = watch(path, poke);
      watcher.on("error", () => stopWatch());
    } catch {
      // Not there yet, or no more watches to be had: looked at again after a while.
    }
  }
  function stopWatch(): void {
    watcher?.close();
    watcher = undefined;
  }

  return {
    poke,
    close: stopWatch,
    async next(longestMs, signal) {
      startWatch();
      if (!changed && !signal.aborted) await waited(longestMs, signal);
      changed = false;
    },
  };

  function waited(longestMs: number, signal: AbortSignal): Promise<void> {
    return new Promise((resolve) => {
      const done = () => {
        clearTimeout(timer);
        signal.removeEventListener("abort", done);
        wake = undefined;
        resolve();
      };
      const timer = setTimeout(done, longestMs);
      signal.addEventListener("abort", done, { once: true });
      wake = done;
    });
  }
}
