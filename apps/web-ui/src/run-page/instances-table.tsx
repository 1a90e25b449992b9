/** Task instances as a table, page by page. */
import { Anchor, Group, Pagination, Table, Text } from "@mantine/core";
import type { TaskInstanceResponse } from "@updraft/contract";
import { Link } from "react-router";
import { taskPagePath } from "../app/paths.ts";
import { StateBadge } from "../state/state-badge.tsx";
import { Elapsed, Moment } from "../time/moment.tsx";

interface InstancesTableProps {
  readonly instances: readonly TaskInstanceResponse[];
  readonly total: number;
  readonly pageSize: number;
  /** From 1. */
  readonly page: number;
  onPage(page: number): void;
}

export function InstancesTable({ instances, total, pageSize, page, onPage }: InstancesTableProps) {
  return (
    <>
      <Table.ScrollContainer minWidth={800}>
        <Table highlightOnHover>
          <Table.Thead>
            <Table.Tr>
              <Table.Th>Task</Table.Th>
              <Table.Th>State</Table.Th>
              <Table.Th>Try</Table.Th>
              <Table.Th>Operator</Table.Th>
              <Table.Th>Start</Table.Th>
              <Table.Th>Duration</Table.Th>
              <Table.Th>Pool</Table.Th>
              <Table.Th>Host</Table.Th>
            </Table.Tr>
          </Table.Thead>
          <Table.Tbody>
            {instances.map((instance) => (
              <InstanceRow key={instance.id} instance={instance} />
            ))}
          </Table.Tbody>
        </Table>
      </Table.ScrollContainer>
      <Group justify="space-between">
        <Text size="sm" c="dimmed">
          {total === 0 ? "No task instances." : `${total} task instances`}
        </Text>
        {total > pageSize && (
          <Pagination
            total={Math.ceil(total / pageSize)}
            value={page}
            onChange={onPage}
            getControlProps={(control) => ({ "aria-label": `${control} page` })}
          />
        )}
      </Group>
    </>
  );
}

function InstanceRow({ instance }: { readonly instance: TaskInstanceResponse }) {
  const { dag_id: dagId, dag_run_id: runId, task_id: taskId, map_index: mapIndex } = instance;
  return (
    <Table.Tr>
      <Table.Td>
        <Anchor component={Link} to={taskPagePath(dagId, runId, taskId, mapIndex)} size="sm">
          {instance.task_display_name}
          {mapIndex >= 0 && ` [${instance.rendered_map_index ?? mapIndex}]`}
        </Anchor>
      </Table.Td>
      <Table.Td>
        <StateBadge state={instance.state} />
      </Table.Td>
      <Table.Td>{instance.try_number}</Table.Td>
      <Table.Td>{instance.operator_name ?? instance.operator ?? "–"}</Table.Td>
      <Table.Td>
        <Moment at={instance.start_date} />
      </Table.Td>
      <Table.Td>
        <Elapsed start={instance.start_date} end={instance.end_date} />
      </Table.Td>
      <Table.Td>{instance.pool}</Table.Td>
      <Table.Td>{instance.hostname || "–"}</Table.Td>
    </Table.Tr>
  );
}
