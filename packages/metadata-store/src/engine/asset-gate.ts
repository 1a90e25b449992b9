/** A timetable whose ticks wait for assets: the gate is open while the queued events meet the condition. */
import { isAssetConditionMet, type SerializedDag } from "@updraft/dag-core";
import type { Queryable } from "../database.ts";
import { consumeEvents, queuedEvents } from "./asset-queue.ts";

export async function isGateOpen(tx: Queryable, { dag_id, timetable }: SerializedDag): Promise<boolean> {
  if (timetable.type !== "asset_and_time") return true;
  return isAssetConditionMet(timetable.condition, await queuedEvents(tx, dag_id, "all"));
}

/** The run that went through consumes what is queued; the next tick waits for new events. */
export async function consumeGate(tx: Queryable, { dag_id, timetable }: SerializedDag, runId: number): Promise<void> {
  if (timetable.type !== "asset_and_time") return;
  const events = await queuedEvents(tx, dag_id, "all");
  await consumeEvents(
    tx,
    dag_id,
    runId,
    events.map(({ id }) => id),
  );
}
