/**
 * Pieces that the schemas of REST v2 and of the private UI API share.
 *
 * Answers are strict objects, so that a test notices a field too many; what clients send is strict where Airflow
 * forbids extra fields. Instants on the wire are ISO 8601 in UTC, ending in `Z`.
 */
import { DAG_RUN_STATES, DAG_RUN_TYPES, TASK_INSTANCE_STATES } from "@updraft/dag-core";
import { z } from "zod";

export const wireInstant = z.iso.datetime();
export const wireInstantOrNull = wireInstant.nullable();

/** An instant that a client sends: any offset, but never without one. */
export const sentInstant = z.iso.datetime({ offset: true });

export const json: z.ZodType<unknown> = z.unknown();
export const jsonObject = z.record(z.string(), json);

export const taskInstanceState = z.enum(TASK_INSTANCE_STATES);
export const dagRunState = z.enum(DAG_RUN_STATES);
export const dagRunType = z.enum(DAG_RUN_TYPES);

/** `{ [name]: items, total_entries }`, the form of every list. */
export function collectionOf<Name extends string, Item extends z.ZodType>(name: Name, item: Item) {
  const items = { [name]: z.array(item) } as Record<Name, z.ZodArray<Item>>;
  return z.strictObject({ ...items, total_entries: z.int().nonnegative() });
}
