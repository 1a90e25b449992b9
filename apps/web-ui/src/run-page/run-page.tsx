/** One run: its state and dates, its task instances, its graph, what it was triggered with. */
import { Anchor, Breadcrumbs, Group, SegmentedControl, Text, Title } from "@mantine/core";
import { useDocumentTitle } from "@mantine/hooks";
import type { DagRunResponse } from "@updraft/contract";
import { lazy, Suspense, useState } from "react";
import { Link, useParams, useSearchParams } from "react-router";
import { useMappedTasks } from "../api/grid.ts";
import { useDagRun } from "../api/runs.ts";
import { useRunInstances } from "../api/task-instances.ts";
import { type Fact, Facts, JsonBlock } from "../app/facts.tsx";
import { dagPagePath } from "../app/paths.ts";
import { QueryContent } from "../app/query-content.tsx";
import { StateBadge } from "../state/state-badge.tsx";
import { Elapsed, Moment } from "../time/moment.tsx";
import { InstancesTable } from "./instances-table.tsx";
import { MappedTasksTable } from "./mapped-tasks-table.tsx";
import { RunActions } from "./run-actions.tsx";
import { RunNote } from "./run-note.tsx";
import { WhyRunWaits } from "./why-run-waits.tsx";

const PAGE_SIZE = 100;
/** Instances of mapped tasks are ten thousands: they have pages of their own. */
const UNMAPPED = -1;
/** The library of the graph is half as large as all the rest: it comes when a graph is shown. */
const RunGraph = lazy(async () => ({ default: (await import("../graph/run-graph.tsx")).RunGraph }));

const TABS = [
  { value: "tasks", label: "Task instances" },
  { value: "graph", label: "Graph" },
  { value: "details", label: "Details" },
];

export function RunPage() {
  const { dagId = "", runId = "" } = useParams();
  useDocumentTitle(`${runId} · ${dagId} · Updraft`);
  const [parameters, setParameters] = useSearchParams();
  const tab = parameters.get("tab") ?? "tasks";
  const run = useDagRun(dagId, runId);
  return (
    <QueryContent query={run} what={`the run ${runId}`}>
      {(detail) => (
        <>
          <RunHeader run={detail} />
          {detail.state === "queued" && <WhyRunWaits run={detail} />}
          <SegmentedControl
            data={TABS}
            value={tab}
            onChange={(value) => setParameters({ tab: value }, { replace: true })}
            mb="md"
            aria-label="Of the run"
          />
          {tab === "tasks" && <RunInstances key={runId} dagId={dagId} runId={runId} />}
          {tab === "graph" && (
            <Suspense fallback={<Text c="dimmed">Loading the graph …</Text>}>
              <RunGraph dagId={dagId} runId={runId} />
            </Suspense>
          )}
          {tab === "details" && <Facts facts={factsOf(detail)} />}
        </>
      )}
    </QueryContent>
  );
}

function RunHeader({ run }: { readonly run: DagRunResponse }) {
  return (
    <>
      <Breadcrumbs mb={4}>
        <Anchor component={Link} to="/dags" size="sm">
          DAGs
        </Anchor>
        <Anchor component={Link} to={dagPagePath(run.dag_id)} size="sm">
          {run.dag_id}
        </Anchor>
        <Text size="sm">{run.dag_run_id}</Text>
      </Breadcrumbs>
      <Group justify="space-between" mb="md" align="flex-start">
        <div>
          <Group gap="sm">
            <Title order={1} size="h3" style={{ overflowWrap: "anywhere" }}>
              {run.dag_run_id}
            </Title>
            <StateBadge state={run.state} size="lg" />
          </Group>
          <Text size="sm" c="dimmed">
            {run.run_type} · started <Moment at={run.start_date} /> · took{" "}
            <Elapsed start={run.start_date} end={run.end_date} />
            {run.note !== null && ` · ${run.note}`}
          </Text>
        </div>
        <RunActions run={run} />
      </Group>
    </>
  );
}

function RunInstances({ dagId, runId }: { readonly dagId: string; readonly runId: string }) {
  const [page, setPage] = useState(1);
  const filters = { map_index: UNMAPPED, limit: PAGE_SIZE, offset: (page - 1) * PAGE_SIZE };
  const instances = useRunInstances(dagId, runId, filters);
  const mapped = useMappedTasks(dagId, runId);
  return (
    <>
      <MappedTasksTable dagId={dagId} runId={runId} tasks={mapped} />
      <QueryContent query={instances} what="the task instances">
        {({ task_instances: rows, total_entries: total }) =>
          total === 0 && mapped.length > 0 ? null : (
            <InstancesTable instances={rows} total={total} pageSize={PAGE_SIZE} page={page} onPage={setPage} />
          )
        }
      </QueryContent>
    </>
  );
}

function factsOf(run: DagRunResponse): readonly Fact[] {
  return [
    ["Run id", run.dag_run_id],
    ["Note", <RunNote key="note" run={run} />],
    ["Configuration", <JsonBlock key="conf" value={run.conf} />],
    ["Type", run.run_type],
    ["Triggered by", [run.triggered_by, run.triggering_user_name].filter(Boolean).join(", ") || null],
    ["Logical date", <Moment key="at" at={run.logical_date} />],
    ["Data interval from", <Moment key="at" at={run.data_interval_start} />],
    ["Data interval to", <Moment key="at" at={run.data_interval_end} />],
    ["Run after", <Moment key="at" at={run.run_after} />],
    ["Queued", <Moment key="at" at={run.queued_at} />],
    ["Start", <Moment key="at" at={run.start_date} />],
    ["End", <Moment key="at" at={run.end_date} />],
    ["Last decision of the scheduler", <Moment key="at" at={run.last_scheduling_decision} />],
    ["DAG versions", run.dag_versions.map((version) => version.version_number).join(", ") || null],
  ];
}
