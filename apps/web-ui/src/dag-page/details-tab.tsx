/** All that is known about a DAG. */

import type { DagDetailsResponse } from "@updraft/contract";
import { useParams } from "react-router";
import { useDag } from "../api/dags.ts";
import { type Fact, Facts, JsonBlock } from "../app/facts.tsx";
import { QueryContent } from "../app/query-content.tsx";
import { formatDuration } from "../time/duration.ts";
import { Moment } from "../time/moment.tsx";

export function DetailsTab() {
  const { dagId = "" } = useParams();
  return (
    <QueryContent query={useDag(dagId)} what="the details">
      {(dag) => <Facts facts={factsOf(dag)} />}
    </QueryContent>
  );
}

function factsOf(dag: DagDetailsResponse): readonly Fact[] {
  return [
    ["DAG id", dag.dag_id],
    ["File", dag.fileloc],
    ["Bundle", dag.bundle_name],
    ["Latest version", dag.latest_dag_version?.version_number],
    ["Owners", dag.owners.join(", ")],
    ["Schedule", dag.timetable_description ?? dag.timetable_summary],
    ["Time zone", dag.timezone],
    ["Catch up", dag.catchup ? "yes" : "no"],
    ["Start date", <Moment key="at" at={dag.start_date} />],
    ["End date", <Moment key="at" at={dag.end_date} />],
    ["Next run's logical date", <Moment key="at" at={dag.next_dagrun_logical_date} />],
    ["Next run after", <Moment key="at" at={dag.next_dagrun_run_after} />],
    ["Runs that are active", dag.active_runs_count],
    ["Most active runs", dag.max_active_runs],
    ["Most active tasks of a run", dag.max_active_tasks],
    ["Failed runs in a row that pause it", dag.max_consecutive_failed_dag_runs || "never"],
    ["Time limit of a run", dag.dag_run_timeout],
    ["Last read", <Moment key="at" at={dag.last_parsed_time} />],
    ["Reading took", formatDuration(dag.last_parse_duration)],
    ["Params", <JsonBlock key="json" value={dag.params} />],
    ["Default arguments", <JsonBlock key="json" value={dag.default_args} />],
  ];
}
