/**
 * Live events to every open UI. A client that reads too slowly gets nothing until it has caught up, and then one
 * `resync`: what waits for it stays bounded, and it learns that it missed something.
 */
import type { LiveEvent } from "@updraft/contract";
import type { EventSource } from "../context.ts";
import type { SseStream } from "../http/sse.ts";

const MOST_WAITING_BYTES = 512 * 1024;
const RESYNC = JSON.stringify([{ type: "resync" } satisfies LiveEvent]);

interface Client {
  readonly stream: SseStream;
  isBehind: boolean;
}

export interface Broadcast {
  /** Until the stream closes. */
  add(stream: SseStream): void;
}

/** Listens to `events` for as long as the process lives: a server has one broadcast. */
export function createBroadcast(events: EventSource, stopping: AbortSignal): Broadcast {
  const clients = new Set<Client>();
  const unsubscribe = events.subscribe((heard) => {
    if (clients.size === 0 || heard.length === 0) return;
    const data = JSON.stringify(heard);
    for (const client of clients) deliver(client, data);
  });
  stopping.addEventListener("abort", unsubscribe, { once: true });

  return {
    add(stream) {
      const client = { stream, isBehind: false };
      clients.add(client);
      stream.closed.addEventListener("abort", () => clients.delete(client), { once: true });
    },
  };
}

function deliver(client: Client, data: string): void {
  const { stream } = client;
  if (client.isBehind) return;
  if (stream.waitingBytes() + data.length <= MOST_WAITING_BYTES) {
    stream.send({ data });
    return;
  }
  client.isBehind = true;
  void stream.drained().then(() => {
    client.isBehind = false;
    stream.send({ data: RESYNC });
  });
}
