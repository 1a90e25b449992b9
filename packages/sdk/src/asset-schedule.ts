/** Schedules by assets: an asset, a list of them (all are needed), a condition, or one of these with a timetable. */
import {
  type AssetCondition,
  type PartitionMapper,
  requiresBatching,
  type TimeTimetable,
  type Timetable,
} from "@updraft/dag-core";
import { type AssetExpression, conditionOf } from "./asset.ts";
import { brand, brandOf, foreignCopy } from "./brand.ts";
import { describeValue } from "./json.ts";
import type { TimeSchedule } from "./spec-types.ts";

export type AssetScheduleAssets = AssetExpression | readonly AssetExpression[];

interface Batching {
  /**
   * One run for all queued events instead of one for each. Unset: as the installation says, and always where several
   * assets are needed together.
   */
  readonly batchAssetEvents?: boolean | undefined;
}

export interface AssetTriggeredSpec extends Batching {
  readonly assets: AssetScheduleAssets;
  /**
   * Makes runs for keys: of events that carry one, by the key that the mapper makes of it. Such a schedule doesn't see
   * events without a key, and no other schedule sees those with one.
   */
  readonly partitionMapper?: PartitionMapper | undefined;
}
export interface AssetOrTimeSpec extends Batching {
  readonly assets: AssetScheduleAssets;
  readonly timetable: TimeSchedule;
}
export interface AssetAndTimeSpec {
  readonly assets: AssetScheduleAssets;
  readonly timetable: TimeSchedule;
}

/** A schedule that `assetTriggered`, `assetOrTime` or `assetAndTime` made. */
export interface AssetSchedule {
  readonly kind: "asset" | "asset_or_time" | "asset_and_time";
  readonly assets: AssetScheduleAssets;
  readonly timetable?: TimeSchedule | undefined;
  readonly batchAssetEvents?: boolean | undefined;
  readonly partitionMapper?: PartitionMapper | undefined;
}

/** By assets alone, with more to say than a list of them does. */
export function assetTriggered(spec: AssetTriggeredSpec): AssetSchedule {
  return make("asset", spec);
}

/** By assets and by time, each making runs of its own. */
export function assetOrTime(spec: AssetOrTimeSpec): AssetSchedule {
  return make("asset_or_time", spec);
}

/** By time, each tick waiting until the assets have had new events. */
export function assetAndTime(spec: AssetAndTimeSpec): AssetSchedule {
  return make("asset_and_time", spec);
}

const schedules = new WeakSet<object>();

function make(kind: AssetSchedule["kind"], spec: Omit<AssetSchedule, "kind">): AssetSchedule {
  const schedule: AssetSchedule = Object.freeze(brand({ ...spec, kind }, "AssetSchedule"));
  schedules.add(schedule);
  return schedule;
}

export function isAssetSchedule(value: unknown): value is AssetSchedule {
  if (typeof value !== "object" || value === null) return false;
  if (schedules.has(value)) return true;
  if (brandOf(value) === "AssetSchedule") throw foreignCopy("The schedule");
  return false;
}

export interface AssetScheduleReading {
  readonly batchAssetEvents: boolean;
  readonly readTime: (schedule: unknown) => TimeTimetable;
  readonly refuse: (complaint: string) => never;
}

/** Null where a schedule is not by assets. */
export function readAssetSchedule(schedule: unknown, reading: AssetScheduleReading): Timetable | null {
  if (!isAssetSchedule(schedule)) {
    const isList = Array.isArray(schedule);
    if (!isList && conditionOf(schedule) === null) return null;
    const condition = readCondition(schedule, reading);
    return { type: "asset", condition, batch: batchOf(condition, undefined, reading) };
  }
  const { kind, assets, batchAssetEvents } = schedule;
  const condition = readCondition(assets, reading);
  if (kind === "asset") {
    const batch = batchOf(condition, batchAssetEvents, reading);
    const { partitionMapper: partition } = schedule;
    return { type: kind, condition, batch, ...(partition === undefined ? {} : { partition }) };
  }
  const timetable = reading.readTime(schedule.timetable);
  if (kind === "asset_and_time") return { type: kind, condition, timetable };
  return { type: kind, condition, timetable, batch: batchOf(condition, batchAssetEvents, reading) };
}

function readCondition(assets: unknown, { refuse }: AssetScheduleReading): AssetCondition {
  if (Array.isArray(assets)) {
    if (assets.length === 0) return refuse("is an empty list; name the assets that the Dag waits for");
    return { kind: "all", conditions: assets.map((one) => conditionOf(one) ?? refuse(notAnAsset(one))) };
  }
  return conditionOf(assets) ?? refuse(notAnAsset(assets));
}

function notAnAsset(value: unknown): string {
  return `must name assets, not ${describeValue(value)}`;
}

function batchOf(condition: AssetCondition, asked: unknown, { batchAssetEvents, refuse }: AssetScheduleReading) {
  if (asked === undefined) return batchAssetEvents || requiresBatching(condition);
  return typeof asked === "boolean"
    ? asked
    : refuse(`needs batchAssetEvents as a boolean, not ${describeValue(asked)}`);
}
