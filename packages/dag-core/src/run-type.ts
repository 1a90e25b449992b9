/** Which types of runs a DAG allows. */
import type { DagRunType, SerializedDag } from "./model.ts";

/** Why a run of this type must not be created, as a sentence; null where it may. */
export function refusedRunType(
  { dag_id, allowed_run_types }: Pick<SerializedDag, "dag_id" | "allowed_run_types">,
  type: DagRunType,
): string | null {
  if (allowed_run_types === null || allowed_run_types.includes(type)) return null;
  return `Dag with dag_id: '${dag_id}' does not allow ${type} runs`;
}
