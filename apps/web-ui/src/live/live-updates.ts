/** Keeps the query cache true: live events patch it; while their stream is down, what is shown is polled instead. */
import { type QueryClient, useQueryClient } from "@tanstack/react-query";
import { useEffect, useSyncExternalStore } from "react";
import { type CachePlan, planFor } from "./cache-plan.ts";
import { type LiveStatus, openEventStream } from "./event-stream.ts";
import { createStaleMarker, type StaleMarker } from "./stale-marker.ts";

const STALE_INTERVAL_MS = 1_000;

let status: LiveStatus = "connecting";
const listeners = new Set<() => void>();

export function useLiveStatus(): LiveStatus {
  return useSyncExternalStore(
    (listener) => {
      listeners.add(listener);
      return () => listeners.delete(listener);
    },
    () => status,
  );
}

/** Opens the stream for as long as the caller is shown. */
export function useLiveUpdates(pollIntervalMs: number): void {
  const queryClient = useQueryClient();
  useEffect(() => startLiveUpdates(queryClient), [queryClient]);
  usePollingWhileDown(queryClient, pollIntervalMs);
}

function startLiveUpdates(queryClient: QueryClient): () => void {
  const marker = createStaleMarker(queryClient, STALE_INTERVAL_MS);
  const stream = openEventStream({
    url: "/ui/events",
    onEvents: (events) => applyPlan(queryClient, marker, planFor(events)),
    onStatus: (next) => {
      // What changed before the stream was open told nobody.
      if (next === "live" && status !== "live") void queryClient.invalidateQueries({ predicate: wasFetched });
      setStatus(next);
    },
  });
  return () => {
    stream.close();
    marker.stop();
    setStatus("connecting");
  };
}

function applyPlan(queryClient: QueryClient, marker: StaleMarker, plan: CachePlan): void {
  if (plan.everythingStale) void queryClient.invalidateQueries();
  for (const { key, apply } of plan.patches) queryClient.setQueriesData({ queryKey: key }, apply);
  const stale = plan.stale.filter(({ key, holds }) => holds === undefined || holds(queryClient.getQueryData(key)));
  marker.mark(stale.map(({ key }) => key));
}

function usePollingWhileDown(queryClient: QueryClient, intervalMs: number): void {
  const isDown = useLiveStatus() === "down";
  useEffect(() => {
    if (!isDown) return;
    const timer = setInterval(() => void queryClient.invalidateQueries({}, { cancelRefetch: false }), intervalMs);
    return () => clearInterval(timer);
  }, [queryClient, isDown, intervalMs]);
}

function setStatus(next: LiveStatus): void {
  status = next;
  for (const listener of listeners) listener();
}

function wasFetched(query: { readonly state: { readonly dataUpdateCount: number } }): boolean {
  return query.state.dataUpdateCount > 0;
}
