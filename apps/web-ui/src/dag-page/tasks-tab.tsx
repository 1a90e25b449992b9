/** The tasks of a DAG as its latest version has them. */
import { Table, Text } from "@mantine/core";
import type { TaskResponse } from "@updraft/contract";
import { useParams } from "react-router";
import { useTasks } from "../api/dags.ts";
import { QueryContent } from "../app/query-content.tsx";
import { formatDuration } from "../time/duration.ts";

export function TasksTab() {
  const { dagId = "" } = useParams();
  const tasks = useTasks(dagId);
  return (
    <QueryContent query={tasks} what="the tasks">
      {(page) => (
        <Table.ScrollContainer minWidth={800}>
          <Table highlightOnHover>
            <Table.Thead>
              <Table.Tr>
                <Table.Th>Task</Table.Th>
                <Table.Th>Operator</Table.Th>
                <Table.Th>Trigger rule</Table.Th>
                <Table.Th>Retries</Table.Th>
                <Table.Th>Pool</Table.Th>
                <Table.Th>Queue</Table.Th>
                <Table.Th>Leads to</Table.Th>
              </Table.Tr>
            </Table.Thead>
            <Table.Tbody>
              {page.tasks.map((task) => (
                <TaskRow key={task.task_id} task={task} />
              ))}
            </Table.Tbody>
          </Table>
        </Table.ScrollContainer>
      )}
    </QueryContent>
  );
}

function TaskRow({ task }: { readonly task: TaskResponse }) {
  return (
    <Table.Tr>
      <Table.Td>
        <Text size="sm" fw={600}>
          {task.task_display_name ?? task.task_id}
          {task.is_mapped === true && " [ ]"}
        </Text>
      </Table.Td>
      <Table.Td>{task.operator_name ?? "–"}</Table.Td>
      <Table.Td>{task.trigger_rule ?? "–"}</Table.Td>
      <Table.Td>{retriesWords(task)}</Table.Td>
      <Table.Td>{task.pool ?? "–"}</Table.Td>
      <Table.Td>{task.queue ?? "–"}</Table.Td>
      <Table.Td>{task.downstream_task_ids?.join(", ") || "–"}</Table.Td>
    </Table.Tr>
  );
}

function retriesWords({ retries, retry_delay: delay }: TaskResponse): string {
  if (!retries) return "none";
  if (delay === null) return String(retries);
  const seconds = delay.days * 86_400 + delay.seconds + delay.microseconds / 1e6;
  return `${retries}, after ${formatDuration(seconds)}`;
}
