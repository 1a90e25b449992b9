/** DAG files as the dag-processor would hand them over. */
import { createHash } from "node:crypto";
import type { SerializedDag } from "@updraft/dag-core";
import type { ParsedFile, TriggerRequest } from "@updraft/metadata-store";

export function parsedFile(dags: readonly SerializedDag[], overrides: Partial<ParsedFile> = {}): ParsedFile {
  const code = `// ${dags.map(({ dag_id }) => dag_id).join(", ")}`;
  const relative = dags[0]?.relative_fileloc ?? "d.ts";
  return {
    relative_fileloc: relative,
    fileloc: `/dags/${relative}`,
    bundle_name: "dags-folder",
    dags,
    artefact_hash: createHash("sha256").update(code).digest("hex"),
    artefact_code: code,
    source_code: code,
    parse_duration_seconds: 0.01,
    errors: [],
    ...overrides,
  };
}

export function triggerRequest(dagId: string, overrides: Partial<TriggerRequest> = {}): TriggerRequest {
  return {
    dag_id: dagId,
    run_id: null,
    logical_date: null,
    data_interval_start: null,
    data_interval_end: null,
    run_after: null,
    conf: {},
    note: null,
    run_type: "manual",
    triggered_by: "rest_api",
    triggering_user_name: "airflow",
    ...overrides,
  };
}
