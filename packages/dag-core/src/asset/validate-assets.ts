/** What is wrong with the assets that a DAG names, in the author's words. */
import {
  type AssetCondition,
  type AssetReference,
  PARTITION_GRAINS,
  type PartitionMapper,
  type SerializedDag,
  type SerializedTask,
} from "../model.ts";
import { assetReferences, assetSchedule, requiresBatching } from "./asset-condition.ts";

const MAX_LENGTH = 1500;
/** Airflow's own scheme. */
const RESERVED_SCHEME = /^airflow:/i;
const PRINTABLE_ASCII = /^[\x20-\x7e]+$/;

export function* assetScheduleMessages({ timetable }: SerializedDag): Iterable<string> {
  const schedule = assetSchedule(timetable);
  if (schedule === null) return;
  if (hasEmptyPart(schedule.condition)) yield "The schedule names no asset where one or more are needed";
  for (const reference of assetReferences(schedule.condition)) yield* referenceMessages(reference);
  if (schedule.type !== "asset_and_time" && !schedule.batch && requiresBatching(schedule.condition))
    yield "A schedule that needs several assets together can't make a run for each event; leave out batchAssetEvents";
  if (schedule.type === "asset" && schedule.partition !== undefined) yield* mapperMessages(schedule.partition);
}

function* mapperMessages(mapper: PartitionMapper): Iterable<string> {
  if ("mappers" in mapper) for (const part of mapper.mappers) yield* mapperMessages(part);
  if (mapper.kind === "start_of" && !PARTITION_GRAINS.includes(mapper.grain))
    yield `A partition mapper can't find the start of '${mapper.grain}'; use one of ${PARTITION_GRAINS.join(", ")}`;
}

export function* assetTaskMessages({ inlets, outlets }: SerializedTask): Iterable<string> {
  for (const reference of [...inlets, ...outlets]) yield* referenceMessages(reference);
}

function hasEmptyPart(condition: AssetCondition): boolean {
  return "conditions" in condition && (condition.conditions.length === 0 || condition.conditions.some(hasEmptyPart));
}

function* referenceMessages(reference: AssetReference): Iterable<string> {
  if ("name" in reference)
    yield* textMessages(reference.kind === "alias" ? "asset alias" : "asset name", reference.name);
  if (!("uri" in reference)) return;
  yield* textMessages("asset uri", reference.uri);
  if (RESERVED_SCHEME.test(reference.uri))
    yield `The scheme 'airflow' of asset uri '${reference.uri}' is reserved; use another`;
}

function* textMessages(what: string, text: string): Iterable<string> {
  if (text.trim() === "") yield `An ${what} is empty`;
  else if (text.length > MAX_LENGTH)
    yield `An ${what} has ${text.length} characters; at most ${MAX_LENGTH} are allowed`;
  else if (!PRINTABLE_ASCII.test(text)) yield `The ${what} '${text}' may only have printable ASCII characters`;
}
