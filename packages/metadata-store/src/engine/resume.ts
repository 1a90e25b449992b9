/** The way out of a wait: back to `scheduled`, and from there into the queue, as the same try. */
import { afterDeferral, type JsonValue, type TriggerEnd } from "@updraft/dag-core";
import type { Transaction } from "../database.ts";
import { ENGINE_COLUMNS, type EngineInstance } from "./instance.ts";
import type { Turn } from "./turn.ts";

/** A task instance with how it would go on. */
export interface WaitingInstance extends EngineInstance {
  readonly trigger_id: number | null;
  readonly next_method: string | null;
  readonly next_kwargs: Readonly<Record<string, JsonValue>> | null;
}

export const WAITING_COLUMNS = `${ENGINE_COLUMNS}, t.trigger_id, t.next_method, t.next_kwargs`;

export interface Resumed {
  readonly instance: WaitingInstance;
  readonly end: TriggerEnd;
}

/** Resumes what still waits; the run's lock is held, and so are the instances. */
export async function resumeTries(turn: Turn, ended: readonly Resumed[]): Promise<void> {
  const resumed = ended.flatMap(({ instance, end }) => {
    const resumption = afterDeferral(instance, end);
    return resumption === null ? [] : [{ instance, resumption }];
  });
  if (resumed.length === 0) return;
  await schedule(
    turn,
    resumed.map(({ instance, resumption }) => ({ instance, cause: resumption.cause })),
  );
  await turn.tx.rows({
    name: "write_next_methods",
    text: `UPDATE task_instance t SET next_method = r.next_method, next_kwargs = r.next_kwargs
      FROM unnest($1::uuid[], $2::text[], $3::json[]) AS r (id, next_method, next_kwargs) WHERE t.id = r.id`,
    values: [
      resumed.map(({ instance }) => instance.id),
      resumed.map(({ resumption }) => resumption.next_method),
      resumed.map(({ resumption }) => JSON.stringify(resumption.next_kwargs)),
    ],
  });
}

/** Lets rescheduled instances look again: what the try pushed so far goes, as at the start of every attempt. */
export async function lookAgain(turn: Turn, instances: readonly EngineInstance[]): Promise<void> {
  deleteXComs(turn.tx, instances);
  await schedule(
    turn,
    instances.map((instance) => ({ instance, cause: "Its reschedule date has come" })),
  );
}

async function schedule(
  turn: Turn,
  resumed: readonly { readonly instance: EngineInstance; readonly cause: string }[],
): Promise<void> {
  await turn.move(resumed.map(({ instance, cause }) => ({ instance, state: "scheduled", cause })));
  turn.makeReady(resumed.map(({ instance }) => ({ ...instance, state: "scheduled" })));
}

function deleteXComs(tx: Transaction, instances: readonly EngineInstance[]): void {
  tx.send({
    name: "delete_xcoms_of_instances",
    text: `DELETE FROM xcom x USING task_instance t WHERE t.id = ANY($1::uuid[])
      AND x.dag_run = t.dag_run AND x.task_id = t.task_id AND x.map_index = t.map_index`,
    values: [instances.map(({ id }) => id)],
  });
}
