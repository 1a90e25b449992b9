/** The mapped tasks of a run, a line for each: how many instances are in which state, and the way to them. */
import { Anchor, Table, Text } from "@mantine/core";
import type { GridTaskSummary } from "@updraft/contract";
import { Link } from "react-router";
import { taskPagePath } from "../app/paths.ts";
import { cellFill } from "../grid/cell-look.ts";
import { StateBadge } from "../state/state-badge.tsx";
import { childStatesWords } from "../state/state-names.ts";
import { Elapsed, Moment } from "../time/moment.tsx";

interface MappedTasksTableProps {
  readonly dagId: string;
  readonly runId: string;
  readonly tasks: readonly GridTaskSummary[];
}

export function MappedTasksTable({ dagId, runId, tasks }: MappedTasksTableProps) {
  if (tasks.length === 0) return null;
  return (
    <Table.ScrollContainer minWidth={800} mb="lg">
      <Table highlightOnHover>
        <Table.Thead>
          <Table.Tr>
            <Table.Th>Mapped task</Table.Th>
            <Table.Th>State</Table.Th>
            <Table.Th>Instances</Table.Th>
            <Table.Th>Start</Table.Th>
            <Table.Th>Duration</Table.Th>
          </Table.Tr>
        </Table.Thead>
        <Table.Tbody>
          {tasks.map((task) => (
            <Table.Tr key={task.task_id}>
              <Table.Td>
                <Anchor component={Link} to={taskPagePath(dagId, runId, task.task_id)} size="sm">
                  {task.task_display_name} [ ]
                </Anchor>
              </Table.Td>
              <Table.Td>
                <StateBadge state={task.state} />
              </Table.Td>
              <Table.Td style={{ minWidth: 240 }}>
                <div style={{ height: 6, borderRadius: 3, background: cellFill(task) }} aria-hidden="true" />
                <Text size="xs" c="dimmed">
                  {childStatesWords(task.child_states ?? {})}
                </Text>
              </Table.Td>
              <Table.Td>
                <Moment at={task.min_start_date} />
              </Table.Td>
              <Table.Td>
                <Elapsed start={task.min_start_date} end={task.max_end_date} />
              </Table.Td>
            </Table.Tr>
          ))}
        </Table.Tbody>
      </Table>
    </Table.ScrollContainer>
  );
}
