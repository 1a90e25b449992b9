/** Writes the lines of a log into an answer, as fast as the client takes them. */
import { once } from "node:events";
import type { Response } from "express";
import type { LogView } from "./log-view.ts";

const FLUSH_CHARACTERS = 64 * 1024;

/** Lines from `from` on as `write` shows them, at most `most`; tells how many. The view is closed afterwards. */
export async function sendLines(
  response: Response,
  view: LogView | null,
  from: number,
  write: (text: string, index: number) => string,
  most = Number.POSITIVE_INFINITY,
): Promise<number> {
  if (view === null) return 0;
  let [count, waiting] = [0, ""];
  try {
    for await (const { text } of view.texts(from)) {
      if (count >= most || response.destroyed) break;
      waiting += write(text, count);
      count += 1;
      if (waiting.length < FLUSH_CHARACTERS) continue;
      await written(response, waiting);
      waiting = "";
    }
    await written(response, waiting);
    return count;
  } finally {
    await view.close();
  }
}

async function written(response: Response, text: string): Promise<void> {
  if (text === "" || response.destroyed || response.write(text)) return;
  await Promise.race([once(response, "drain"), once(response, "close")]);
}
