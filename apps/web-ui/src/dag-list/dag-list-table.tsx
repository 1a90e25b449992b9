/** The DAGs of one page, a row each. */
import { Anchor, Badge, Group, Table, Text, Tooltip } from "@mantine/core";
import type { DagWithLatestDagRunsResponse } from "@updraft/contract";
import { TriangleAlert } from "lucide-react";
import { memo } from "react";
import { Link } from "react-router";
import { dagPagePath, runPagePath } from "../app/paths.ts";
import { StateBadge } from "../state/state-badge.tsx";
import { Moment, NextMoment } from "../time/moment.tsx";
import { TriggerButton } from "../trigger/trigger-button.tsx";
import { PauseSwitch } from "./pause-switch.tsx";
import { RecentRuns } from "./recent-runs.tsx";

interface DagListTableProps {
  readonly dags: readonly DagWithLatestDagRunsResponse[];
  onTag(tag: string): void;
}

export function DagListTable({ dags, onTag }: DagListTableProps) {
  return (
    <Table.ScrollContainer minWidth={900}>
      <Table highlightOnHover verticalSpacing="xs" layout="fixed">
        <Table.Thead>
          <Table.Tr>
            <Table.Th w={64}>Active</Table.Th>
            <Table.Th>DAG</Table.Th>
            <Table.Th w={150}>Schedule</Table.Th>
            <Table.Th w={130}>Next run</Table.Th>
            <Table.Th w={290}>Last run</Table.Th>
            <Table.Th w={160}>Recent runs</Table.Th>
            <Table.Th w={56} aria-label="Actions" />
          </Table.Tr>
        </Table.Thead>
        <Table.Tbody>
          {dags.map((dag) => (
            <DagRow key={dag.dag_id} dag={dag} onTag={onTag} />
          ))}
        </Table.Tbody>
      </Table>
    </Table.ScrollContainer>
  );
}

interface DagRowProps {
  readonly dag: DagWithLatestDagRunsResponse;
  onTag(tag: string): void;
}

const DagRow = memo(function DagRow({ dag, onTag }: DagRowProps) {
  return (
    <Table.Tr data-dag-id={dag.dag_id}>
      <Table.Td>
        <PauseSwitch dagId={dag.dag_id} isPaused={dag.is_paused} />
      </Table.Td>
      <Table.Td>
        <DagName dag={dag} onTag={onTag} />
      </Table.Td>
      <Table.Td>
        <Schedule dag={dag} />
      </Table.Td>
      <Table.Td>
        <NextRun dag={dag} />
      </Table.Td>
      <Table.Td>
        <LastRun dag={dag} />
      </Table.Td>
      <Table.Td>
        <RecentRuns runs={dag.latest_dag_runs} />
      </Table.Td>
      <Table.Td>
        <TriggerButton dagId={dag.dag_id} isPaused={dag.is_paused} compact />
      </Table.Td>
    </Table.Tr>
  );
});

function DagName({ dag, onTag }: DagRowProps) {
  return (
    <>
      <Group gap={6} wrap="nowrap">
        <Anchor component={Link} to={dagPagePath(dag.dag_id)} fw={600} title={dag.description ?? dag.dag_id}>
          {dag.dag_display_name}
        </Anchor>
        {dag.has_import_errors && (
          <Tooltip label="Its file has an import error; its last good version is in use.">
            <TriangleAlert size={16} color="var(--state-failed)" aria-label="Import error" />
          </Tooltip>
        )}
      </Group>
      <Group gap={4} mt={2}>
        {dag.tags.map((tag) => (
          <Badge
            key={tag.name}
            component="button"
            size="xs"
            variant="light"
            tt="none"
            style={{ cursor: "pointer" }}
            title={`Show DAGs with the tag ${tag.name}`}
            onClick={() => onTag(tag.name)}
          >
            {tag.name}
          </Badge>
        ))}
      </Group>
    </>
  );
}

function Schedule({
  dag,
}: {
  readonly dag: Pick<DagWithLatestDagRunsResponse, "timetable_summary" | "timetable_description">;
}) {
  if (dag.timetable_summary === null) return <Text size="sm">by hand only</Text>;
  return (
    <Text size="sm" title={dag.timetable_description ?? dag.timetable_summary}>
      {dag.timetable_summary}
    </Text>
  );
}

function NextRun({ dag }: { readonly dag: DagWithLatestDagRunsResponse }) {
  if (dag.is_paused)
    return (
      <Text size="sm" c="dimmed">
        paused
      </Text>
    );
  if (dag.next_dagrun_run_after === null) return <Text size="sm">–</Text>;
  return (
    <Text size="sm" component="span">
      <NextMoment at={dag.next_dagrun_run_after} />
    </Text>
  );
}

function LastRun({ dag }: { readonly dag: DagWithLatestDagRunsResponse }) {
  const last = dag.latest_dag_runs.reduce<DagWithLatestDagRunsResponse["latest_dag_runs"][number] | null>(
    (latest, run) => (latest === null || run.run_after > latest.run_after ? run : latest),
    null,
  );
  if (last === null)
    return (
      <Text size="sm" c="dimmed">
        never ran
      </Text>
    );
  return (
    <Group gap="xs" wrap="nowrap">
      <StateBadge state={last.state} />
      <Anchor component={Link} to={runPagePath(dag.dag_id, last.run_id)} size="sm">
        <Moment at={last.start_date ?? last.run_after} />
      </Anchor>
    </Group>
  );
}
