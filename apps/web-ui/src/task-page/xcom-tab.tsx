/** What a task instance left for others. */
import { Accordion, Group, Text } from "@mantine/core";
import type { InstanceKey } from "../api/keys.ts";
import { useXcom, useXcoms } from "../api/task-instances.ts";
import { JsonBlock } from "../app/facts.tsx";
import { QueryContent } from "../app/query-content.tsx";
import { Moment } from "../time/moment.tsx";

export function XcomTab({ instanceKey }: { readonly instanceKey: InstanceKey }) {
  const xcoms = useXcoms(instanceKey);
  return (
    <QueryContent query={xcoms} what="the XComs">
      {({ xcom_entries: entries }) =>
        entries.length === 0 ? (
          <Text c="dimmed">The task left no XCom. A value that it returns becomes one.</Text>
        ) : (
          <Accordion
            multiple
            defaultValue={entries.length === 1 ? entries.map((entry) => entry.key) : []}
            keepMounted={false}
          >
            {entries.map((entry) => (
              <Accordion.Item key={entry.key} value={entry.key}>
                <Accordion.Control>
                  <Group justify="space-between" pr="md">
                    <Text fw={600}>{entry.key}</Text>
                    <Text size="sm" c="dimmed">
                      <Moment at={entry.timestamp} />
                    </Text>
                  </Group>
                </Accordion.Control>
                <Accordion.Panel>
                  <XcomValue instanceKey={instanceKey} name={entry.key} />
                </Accordion.Panel>
              </Accordion.Item>
            ))}
          </Accordion>
        )
      }
    </QueryContent>
  );
}

function XcomValue({ instanceKey, name }: { readonly instanceKey: InstanceKey; readonly name: string }) {
  return (
    <QueryContent query={useXcom(instanceKey, name)} what="the value">
      {({ value }) => <JsonBlock value={value} />}
    </QueryContent>
  );
}
