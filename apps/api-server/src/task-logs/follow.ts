/** Follows the log of a try: its lines as they are written, until the try is over and everything was sent. */
import type { LogLine } from "@updraft/contract";
import type { TaskLogKey } from "@updraft/service-kit";
import type { EventSource } from "../context.ts";
import type { SseStream } from "../http/sse.ts";
import { watchFile } from "./file-change.ts";
import type { LogViews } from "./log-view.ts";
import type { TryState } from "./try-state.ts";

export interface FollowOptions {
  readonly key: TaskLogKey;
  readonly from: number;
  readonly views: LogViews;
  readonly localPath: string | undefined;
  readonly stateOf: () => Promise<TryState>;
  readonly events: EventSource;
  readonly stream: SseStream;
}

const BATCH_LINES = 500;
const POLL_MS = 500;
/** The state of the try is told by events; one that was lost is found after so long. */
const STATE_KEPT_MS = 2000;
/** A worker writes its last lines around the report of the end. */
const LAST_WORDS_MS = 300;

export async function followLog({
  key,
  from,
  views,
  localPath,
  stateOf,
  events,
  stream,
}: FollowOptions): Promise<void> {
  const change = watchFile(localPath);
  let stale = true;
  const unsubscribe = events.subscribe((heard) => {
    if (!heard.some((event) => event.type === "resync" || (event.type === "task_instance" && isOf(key, event)))) return;
    stale = true;
    change.poke();
  });
  try {
    let next = from;
    let state = await stateOf();
    let readAt = Date.now();
    while (!stream.closed.aborted) {
      const wasOver = state.isOver;
      next = await sendNew(next, state);
      if (wasOver) return finish(next);
      await change.next(POLL_MS, stream.closed);
      if (!stale && Date.now() - readAt < STATE_KEPT_MS) continue;
      stale = false;
      readAt = Date.now();
      state = await stateOf();
      if (state.isOver) await change.next(LAST_WORDS_MS, stream.closed);
    }
  } finally {
    unsubscribe();
    change.close();
  }

  /** Sends what is there from line `next` on; tells the line that comes after it. */
  async function sendNew(next: number, { hostname, isOver }: TryState): Promise<number> {
    const view = await views.open(key, hostname, isOver);
    if (view === null) return next;
    try {
      let line = Math.min(next, view.totalLines);
      while (line < view.totalLines && !stream.closed.aborted) {
        const lines: LogLine[] = await view.window(line, BATCH_LINES);
        if (lines.length === 0) break;
        line += lines.length;
        stream.send({ data: JSON.stringify(lines), id: String(line) });
        await stream.drained();
      }
      return line;
    } finally {
      await view.close();
    }
  }

  function finish(next: number): void {
    stream.send({ event: "end", data: JSON.stringify({ next }), id: String(next) });
    stream.end();
  }
}

type InstanceName = Pick<TaskLogKey, "dag_id" | "run_id" | "task_id" | "map_index">;

function isOf(key: InstanceName, event: InstanceName): boolean {
  return (
    key.task_id === event.task_id &&
    key.run_id === event.run_id &&
    key.dag_id === event.dag_id &&
    key.map_index === event.map_index
  );
}
