/** The graph in the states of one run, whose summary is fetched and kept live. */
import { useMemo } from "react";
import { useGraphStructure, useRunSummaries } from "../api/grid.ts";
import { QueryContent } from "../app/query-content.tsx";
import { Graph } from "./graph.tsx";

interface RunGraphProps {
  readonly dagId: string;
  /** Null where the DAG never ran: the graph without states. */
  readonly runId: string | null;
}

export function RunGraph({ dagId, runId }: RunGraphProps) {
  const structure = useGraphStructure(dagId);
  const runIds = useMemo(() => (runId === null ? [] : [runId]), [runId]);
  const summaries = useRunSummaries(dagId, runIds);
  const run = runId === null ? null : { runId, tasks: summaries.get(runId) };
  return (
    <QueryContent query={structure} what="the graph">
      {(data) => <Graph dagId={dagId} structure={data} run={run} />}
    </QueryContent>
  );
}
