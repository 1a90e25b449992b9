/** Clears a task instance, after showing what that touches. */
import { Button, Checkbox, Group, List, Modal, ScrollArea, Stack, Text } from "@mantine/core";
import { useDisclosure } from "@mantine/hooks";
import { useState } from "react";
import type { InstanceKey } from "../api/keys.ts";
import { type ClearChoice, useClearInstance, useClearPreview } from "../api/task-instances.ts";
import { QueryContent } from "../app/query-content.tsx";
import { stateWords } from "../state/state-names.ts";

const START: ClearChoice = { downstream: true, upstream: false, onlyFailed: false };
const CHOICES: readonly (readonly [keyof ClearChoice, string])[] = [
  ["downstream", "Tasks after it"],
  ["upstream", "Tasks before it"],
  ["onlyFailed", "Only failed ones"],
];

export function ClearButton({ instanceKey }: { readonly instanceKey: InstanceKey }) {
  const [isOpen, { open, close }] = useDisclosure(false);
  return (
    <>
      <Button size="xs" variant="default" onClick={open}>
        Clear
      </Button>
      <Modal opened={isOpen} onClose={close} title={`Clear ${instanceKey.taskId}`}>
        <ClearForm instanceKey={instanceKey} onDone={close} />
      </Modal>
    </>
  );
}

function ClearForm({ instanceKey, onDone }: { readonly instanceKey: InstanceKey; onDone(): void }) {
  const [choice, setChoice] = useState(START);
  const preview = useClearPreview(instanceKey, choice);
  const clear = useClearInstance(instanceKey);
  const count = preview.data?.total_entries ?? 0;
  return (
    <Stack>
      <Group>
        {CHOICES.map(([name, label]) => (
          <Checkbox
            key={name}
            label={label}
            checked={choice[name]}
            onChange={(event) => setChoice({ ...choice, [name]: event.currentTarget.checked })}
          />
        ))}
      </Group>
      <QueryContent query={preview} what="what a clear would touch">
        {({ task_instances: affected }) => (
          <>
            <Text size="sm">{count === 1 ? "1 task instance runs again:" : `${count} task instances run again:`}</Text>
            <ScrollArea.Autosize mah={240}>
              <List size="sm">
                {affected.map((instance) => (
                  <List.Item key={`${instance.task_id} ${instance.map_index}`}>
                    {instance.task_id}
                    {instance.map_index >= 0 && ` [${instance.map_index}]`}, now {stateWords(instance.state)}
                  </List.Item>
                ))}
              </List>
            </ScrollArea.Autosize>
          </>
        )}
      </QueryContent>
      <Group justify="flex-end">
        <Button variant="default" onClick={onDone}>
          Cancel
        </Button>
        <Button
          disabled={count === 0}
          loading={clear.isPending}
          onClick={() => clear.mutate(choice, { onSuccess: onDone })}
        >
          Clear
        </Button>
      </Group>
    </Stack>
  );
}
