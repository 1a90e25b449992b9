/** All that is known about a task instance, and its tries. */
import { Table, Title } from "@mantine/core";
import type { TaskInstanceHistoryResponse, TaskInstanceResponse } from "@updraft/contract";
import { type Fact, Facts, JsonBlock } from "../app/facts.tsx";
import { StateBadge } from "../state/state-badge.tsx";
import { formatDuration } from "../time/duration.ts";
import { Elapsed, Moment } from "../time/moment.tsx";

interface InstanceDetailsProps {
  readonly instance: TaskInstanceResponse;
  readonly tries: readonly TaskInstanceHistoryResponse[];
}

export function InstanceDetails({ instance, tries }: InstanceDetailsProps) {
  return (
    <>
      {tries.length > 0 && <Tries tries={tries} />}
      <Facts facts={factsOf(instance)} />
    </>
  );
}

function Tries({ tries }: Pick<InstanceDetailsProps, "tries">) {
  return (
    <>
      <Title order={2} size="h4" mb="xs">
        Tries
      </Title>
      <Table mb="lg">
        <Table.Thead>
          <Table.Tr>
            <Table.Th>Try</Table.Th>
            <Table.Th>State</Table.Th>
            <Table.Th>Start</Table.Th>
            <Table.Th>Duration</Table.Th>
            <Table.Th>Host</Table.Th>
          </Table.Tr>
        </Table.Thead>
        <Table.Tbody>
          {tries.map((one) => (
            <Table.Tr key={one.try_number}>
              <Table.Td>{one.try_number}</Table.Td>
              <Table.Td>
                <StateBadge state={one.state} />
              </Table.Td>
              <Table.Td>
                <Moment at={one.start_date} />
              </Table.Td>
              <Table.Td>
                <Elapsed start={one.start_date} end={one.end_date} />
              </Table.Td>
              <Table.Td>{one.hostname || "–"}</Table.Td>
            </Table.Tr>
          ))}
        </Table.Tbody>
      </Table>
    </>
  );
}

function factsOf(instance: TaskInstanceResponse): readonly Fact[] {
  return [
    ["Id", instance.id],
    ["Operator", instance.operator_name ?? instance.operator],
    ["Try", `${instance.try_number} of ${instance.max_tries + 1}`],
    ["Map index", instance.map_index < 0 ? null : (instance.rendered_map_index ?? instance.map_index)],
    ["Logical date", <Moment key="at" at={instance.logical_date} />],
    ["Scheduled", <Moment key="at" at={instance.scheduled_when} />],
    ["Queued", <Moment key="at" at={instance.queued_when} />],
    ["Start", <Moment key="at" at={instance.start_date} />],
    ["End", <Moment key="at" at={instance.end_date} />],
    ["Duration", formatDuration(instance.duration)],
    ["Pool", `${instance.pool} (${instance.pool_slots} slots)`],
    ["Queue", instance.queue],
    ["Priority", instance.priority_weight],
    ["Host", instance.hostname],
    ["Process", instance.pid],
    ["Executor", instance.executor],
    ["DAG version", instance.dag_version?.version_number],
    ["Note", instance.note],
    ["Rendered fields", <JsonBlock key="json" value={instance.rendered_fields} />],
  ];
}
