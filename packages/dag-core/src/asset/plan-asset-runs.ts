/**
 * Which runs the queued events of a DAG make, and which events each consumes.
 *
 *   batched      condition met by all queued events together ──► one run that consumes every one of them
 *   one by one   each event that meets the condition by itself ──► a run of its own, while the DAG has room
 *
 * What no run consumes stays queued.
 */
import type { AssetCondition, Instant } from "../model.ts";
import { type AssetEventFacts, isAssetConditionMet } from "./asset-condition.ts";

export interface QueuedAssetEvent extends AssetEventFacts {
  readonly id: number;
  readonly timestamp: Instant;
}

export interface AssetRun {
  /** Oldest first. */
  readonly event_ids: readonly number[];
  readonly run_after: Instant;
}

export interface AssetRunFacts {
  readonly condition: AssetCondition;
  readonly batch: boolean;
  readonly queued: readonly QueuedAssetEvent[];
  /** How many more active runs the DAG may have; a batch is not held back by it. */
  readonly room: number;
}

export function planAssetRuns({ condition, batch, queued, room }: AssetRunFacts): AssetRun[] {
  const ordered = queued.toSorted((left, right) => left.timestamp - right.timestamp || left.id - right.id);
  if (batch) return isAssetConditionMet(condition, ordered) ? [runOf(ordered)] : [];
  return ordered
    .filter((event) => isAssetConditionMet(condition, [event]))
    .slice(0, Math.max(room, 0))
    .map((event) => runOf([event]));
}

function runOf(events: readonly QueuedAssetEvent[]): AssetRun {
  return { event_ids: events.map(({ id }) => id), run_after: Math.max(...events.map(({ timestamp }) => timestamp)) };
}
