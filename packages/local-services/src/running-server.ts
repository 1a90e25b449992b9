/** What every server's start takes and gives. */
import { ServerError } from "./server-error.ts";
import type { Exit, ServerProcess } from "./server-process.ts";

export interface StartOptions {
  /** Holds the server's data and logs; made where missing. */
  readonly dataFolder: string;
  /** 0 picks a free one. */
  readonly port: number;
  /** `fast` gives up durability, for tests. */
  readonly mode: "durable" | "fast";
}

export interface RunningServer {
  readonly url: string;
  readonly port: number;
  readonly pid: number;
  readonly exited: Promise<Exit>;
  stop(): Promise<void>;
}

/** Waits until `ready` answers true; a server that ends before, or takes longer than `limitMs`, is an error. */
export async function whenReady(
  name: string,
  server: ServerProcess,
  limitMs: number,
  ready: (signal: AbortSignal) => Promise<boolean>,
): Promise<void> {
  const giveUp = new AbortController();
  const timer = setTimeout(() => giveUp.abort(), limitMs);
  const ended = server.exited.then((exit) => ({ exit }));
  try {
    const first = await Promise.race([ready(giveUp.signal), ended]);
    if (first === true) return;
    const what =
      first === false
        ? `${name} did not answer within ${limitMs / 1000} s`
        : `${name} ended at its start (${first.exit.signal ?? `exit code ${first.exit.code}`})`;
    throw new ServerError(what, wayOutOf(server.lastWords()), { log: server.lastWords() });
  } catch (error) {
    await server.stop();
    throw error;
  } finally {
    clearTimeout(timer);
    giveUp.abort();
  }
}

function wayOutOf(log: string): string {
  if (/No space left on device|ENOSPC|disk full/i.test(log))
    return "The disk is full: free some space and start again.";
  if (/Address already in use|BindException/i.test(log)) return "Its port was taken at the same moment: start again.";
  return "Look at its last words below; `npm start -- --reset` begins with fresh data.";
}
