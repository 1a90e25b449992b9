/** The graph of a DAG in the states of a run that is chosen above it, at first the newest. */
import { Select } from "@mantine/core";
import { useParams, useSearchParams } from "react-router";
import { useGridRuns } from "../api/grid.ts";
import { QueryContent } from "../app/query-content.tsx";
import { RunGraph } from "../graph/run-graph.tsx";
import { stateWords } from "../state/state-names.ts";
import { formatInstant } from "../time/instant.ts";

const RUNS_TO_CHOOSE_FROM = 50;

export function GraphTab() {
  const { dagId = "" } = useParams();
  const [parameters, setParameters] = useSearchParams();
  const runs = useGridRuns(dagId, RUNS_TO_CHOOSE_FROM);
  return (
    <QueryContent query={runs} what="the runs">
      {(page) => {
        const runId = parameters.get("run_id") ?? page[0]?.run_id ?? null;
        return (
          <>
            <Select
              aria-label="Run whose states are shown"
              placeholder="No runs yet"
              data={page.map((run) => ({
                value: run.run_id,
                label: `${formatInstant(run.run_after)} · ${stateWords(run.state)} · ${run.run_id}`,
              }))}
              value={runId}
              onChange={(chosen) => setParameters(chosen === null ? {} : { run_id: chosen }, { replace: true })}
              searchable
              allowDeselect={false}
              w={520}
              maw="100%"
              size="xs"
              mb="xs"
            />
            <RunGraph dagId={dagId} runId={runId} />
          </>
        );
      }}
    </QueryContent>
  );
}
