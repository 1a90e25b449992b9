/** Hands the live events that the store's listener hears to whoever streams them. */
import type { LiveEvent } from "@updraft/contract";
import type { EventSource } from "../context.ts";

export interface EventHub extends EventSource {
  publish(events: readonly LiveEvent[]): void;
}

export function createEventHub(): EventHub {
  const listeners = new Set<(events: readonly LiveEvent[]) => void>();
  return {
    subscribe(listener) {
      listeners.add(listener);
      return () => {
        listeners.delete(listener);
      };
    },
    publish(events) {
      for (const listener of listeners) listener(events);
    },
  };
}
