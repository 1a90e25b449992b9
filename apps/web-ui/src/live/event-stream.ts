/**
 * The connection to the server's live events: one EventSource, reopened with growing pauses when the server refuses it.
 * Events are handed on once per animation frame, so that a burst renders once.
 */
import type { LiveEvent } from "@updraft/contract";

const FIRST_PAUSE_MS = 1_000;
const LONGEST_PAUSE_MS = 15_000;
/** A hidden tab has no frames. More events than this and a fresh look is cheaper than applying them. */
const MOST_WAITING = 2_000;

export type LiveStatus = "connecting" | "live" | "down";

export interface EventStreamOptions {
  readonly url: string;
  onEvents(events: readonly LiveEvent[]): void;
  onStatus(status: LiveStatus): void;
}

export function openEventStream(options: EventStreamOptions): { close(): void } {
  const batch = createFrameBatch(options.onEvents);
  let source: EventSource | undefined;
  let retry: ReturnType<typeof setTimeout> | undefined;
  let pauseMs = FIRST_PAUSE_MS;

  const open = (): void => {
    source = new EventSource(options.url);
    source.onopen = () => {
      pauseMs = FIRST_PAUSE_MS;
      options.onStatus("live");
    };
    source.onmessage = (message) => batch.add(JSON.parse(String(message.data)) as readonly LiveEvent[]);
    source.onerror = () => {
      options.onStatus("down");
      if (source?.readyState === EventSource.CLOSED) reopenLater();
    };
  };
  const reopenLater = (): void => {
    source?.close();
    retry = setTimeout(open, pauseMs);
    pauseMs = Math.min(pauseMs * 2, LONGEST_PAUSE_MS);
  };

  open();
  return {
    close: () => {
      source?.close();
      clearTimeout(retry);
      batch.stop();
    },
  };
}

function createFrameBatch(onEvents: (events: readonly LiveEvent[]) => void) {
  let waiting: LiveEvent[] = [];
  let frame: number | undefined;
  const flush = (): void => {
    frame = undefined;
    const events = waiting;
    waiting = [];
    onEvents(events);
  };
  return {
    add: (events: readonly LiveEvent[]): void => {
      const tooMany = waiting.length + events.length > MOST_WAITING;
      waiting = tooMany ? [{ type: "resync" }] : [...waiting, ...events];
      frame ??= requestAnimationFrame(flush);
    },
    stop: (): void => {
      if (frame !== undefined) cancelAnimationFrame(frame);
    },
  };
}
