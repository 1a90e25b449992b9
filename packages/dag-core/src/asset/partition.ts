/**
 * Partitioned assets: events that carry a key, and schedules that make a run for each key. A mapper turns the key of an
 * event into the key of the run it belongs to; events whose keys can't be mapped belong to none.
 */
import { assertNever } from "../assert.ts";
import type { PartitionGrain, PartitionMapper } from "../model.ts";
import { type AssetRun, type AssetRunFacts, planAssetRuns, type QueuedAssetEvent } from "./plan-asset-runs.ts";

/** Between the parts of a key that `product` maps one by one. */
const SEPARATOR = "|";
const DAY_MS = 86_400_000;

export interface PartitionedRun extends AssetRun {
  readonly partition_key: string;
}

export interface PartitionedRunFacts extends AssetRunFacts {
  readonly queued: readonly (QueuedAssetEvent & { readonly partition_key: string | null })[];
  readonly mapper: PartitionMapper;
}

/** Events whose keys the mapper has no answer for: they will never belong to a run. */
export function unmappedEvents<E extends { readonly partition_key: string | null }>(
  mapper: PartitionMapper,
  events: readonly E[],
): E[] {
  return events.filter(({ partition_key: key }) => key === null || mapPartitionKey(mapper, key) === null);
}

/** The runs of each key by itself, the key with the oldest event first. */
export function planPartitionedRuns(facts: PartitionedRunFacts): PartitionedRun[] {
  const { queued, mapper, room } = facts;
  const byKey = new Map<string, QueuedAssetEvent[]>();
  for (const event of queued.toSorted((left, right) => left.timestamp - right.timestamp || left.id - right.id)) {
    const key = event.partition_key === null ? null : mapPartitionKey(mapper, event.partition_key);
    if (key !== null) byKey.set(key, [...(byKey.get(key) ?? []), event]);
  }
  const runs = [...byKey].flatMap(([partition_key, events]) =>
    planAssetRuns({ ...facts, queued: events }).map((run) => ({ ...run, partition_key })),
  );
  return facts.batch ? runs : runs.slice(0, Math.max(room, 0));
}

/** Null where the mapper has no answer for the key. */
export function mapPartitionKey(mapper: PartitionMapper, key: string): string | null {
  switch (mapper.kind) {
    case "identity":
      return key;
    case "start_of":
      return startOf(mapper.grain, key);
    case "allowed_keys":
      return mapper.keys.includes(key) ? key : null;
    case "chain":
      return mapper.mappers.reduce<string | null>(
        (mapped, next) => (mapped === null ? null : mapPartitionKey(next, mapped)),
        key,
      );
    case "product": {
      const parts = key.split(SEPARATOR);
      if (parts.length !== mapper.mappers.length) return null;
      const mapped = mapper.mappers.map((next, index) => mapPartitionKey(next, parts[index] ?? ""));
      return mapped.includes(null) ? null : mapped.join(SEPARATOR);
    }
    default:
      return assertNever(mapper);
  }
}

/** The start of the period around an instant, in Airflow's formats: `2026-03-01T06`, `2026-03`, `2026-Q1`, ... */
function startOf(grain: PartitionGrain, key: string): string | null {
  const match = /^(\d{4}-\d{2}-\d{2})(?:T(\d{2})(?::\d{2}(?::\d{2}(?:\.\d+)?)?)?Z?)?$/.exec(key);
  const date = match?.[1];
  const instant = date === undefined ? Number.NaN : Date.parse(`${date}T00:00:00Z`);
  if (date === undefined || Number.isNaN(instant)) return null;
  const [year, month] = [date.slice(0, 4), date.slice(5, 7)];
  switch (grain) {
    case "hour":
      return `${date}T${match?.[2] ?? "00"}`;
    case "day":
      return date;
    case "week":
      return weekOf(instant);
    case "month":
      return `${year}-${month}`;
    case "quarter":
      return `${year}-Q${Math.ceil(Number(month) / 3)}`;
    case "year":
      return year;
    default:
      return assertNever(grain);
  }
}

/** Monday, with the number of its ISO week: `2026-03-02 (W10)`. */
function weekOf(instant: number): string {
  const weekday = (new Date(instant).getUTCDay() + 6) % 7;
  const monday = instant - weekday * DAY_MS;
  const thursday = new Date(monday + 3 * DAY_MS);
  const yearStart = Date.UTC(thursday.getUTCFullYear(), 0, 1);
  const week = Math.floor((thursday.getTime() - yearStart) / (7 * DAY_MS)) + 1;
  return `${new Date(monday).toISOString().slice(0, 10)} (W${String(week).padStart(2, "0")})`;
}
