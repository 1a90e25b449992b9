/** Assets as the APIs ask for them. */
import type { SerializedTask } from "@updraft/dag-core";
import { taskOf } from "../dag-plan.ts";
import { inactiveAssets } from "../engine/asset-references.ts";
import type { Engine } from "../engine/context.ts";
import type { AssetStore } from "../store.ts";
import { assetEvents } from "./asset-events.ts";
import { assetQueue } from "./asset-queue.ts";
import { assetReads } from "./asset-reads.ts";
import { assetStates } from "./asset-states.ts";

export function assetStore(engine: Engine): AssetStore {
  const { db } = engine;
  return {
    ...assetReads(db),
    ...assetEvents(engine),
    ...assetQueue(db),
    ...assetStates(engine),
    async inactiveAssets(tiId) {
      const task = await taskOfInstance(engine, tiId);
      return task === null ? null : inactiveAssets(db, [...task.inlets, ...task.outlets]);
    },
  };
}

async function taskOfInstance({ db, plans }: Engine, tiId: string): Promise<SerializedTask | null> {
  const [row] = await db.rows<{ task_id: string; dag_version_id: string }>({
    name: "task_of_instance",
    text: "SELECT t.task_id, r.dag_version_id FROM task_instance t JOIN dag_run r ON r.id = t.dag_run WHERE t.id = $1",
    values: [tiId],
  });
  return row === undefined ? null : taskOf(await plans.loadOne(db, row.dag_version_id), row.task_id);
}
