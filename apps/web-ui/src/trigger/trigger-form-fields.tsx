/** What a user may say about a run that is triggered by hand. */
import { Alert, Button, Checkbox, Group, JsonInput, Stack, Textarea, TextInput } from "@mantine/core";
import { notifications } from "@mantine/notifications";
import { type FormEvent, useState } from "react";
import { useDag, usePauseDag } from "../api/dags.ts";
import { messageOf } from "../api/failure.ts";
import { useTriggerDag } from "../api/runs.ts";
import { confFromParams, parseConf, triggerBody } from "./trigger-form.ts";

interface TriggerFormFieldsProps {
  readonly dagId: string;
  readonly isPaused: boolean;
  onDone(): void;
}

const EMPTY_FORM = { logicalDate: "", runId: "", note: "" };

export function TriggerFormFields({ dagId, isPaused, onDone }: TriggerFormFieldsProps) {
  const dag = useDag(dagId);
  const trigger = useTriggerDag(dagId);
  const pause = usePauseDag(dagId);
  const [form, setForm] = useState(EMPTY_FORM);
  const [typedConf, setTypedConf] = useState<string | null>(null);
  const [unpauses, setUnpauses] = useState(true);

  const conf = typedConf ?? confFromParams(dag.data?.params ?? null);
  const parsed = parseConf(conf);
  const set = (name: keyof typeof EMPTY_FORM) => (event: { currentTarget: { value: string } }) => {
    const { value } = event.currentTarget;
    setForm((before) => ({ ...before, [name]: value }));
  };
  const submit = async (event: FormEvent): Promise<void> => {
    event.preventDefault();
    if (parsed.problem !== null) return;
    const run = await trigger.mutateAsync(triggerBody({ ...form, conf }, parsed.conf)).catch(() => null);
    if (run === null) return;
    if (isPaused && unpauses) pause.mutate(false);
    notifications.show({ title: `${dagId} is triggered`, message: run.dag_run_id, color: "teal" });
    onDone();
  };

  return (
    <form onSubmit={(event) => void submit(event)}>
      <Stack>
        {trigger.isError && (
          <Alert color="red" role="alert" title="The run was not created">
            {messageOf(trigger.error)}
          </Alert>
        )}
        <JsonInput
          label="Configuration"
          description="A JSON object that tasks read as conf."
          value={conf}
          onChange={setTypedConf}
          error={parsed.problem}
          autosize
          minRows={4}
          maxRows={16}
          formatOnBlur
          spellCheck={false}
          styles={{ input: { fontFamily: "var(--mantine-font-family-monospace)" } }}
        />
        <Group grow align="flex-start">
          <TextInput
            type="datetime-local"
            step={1}
            label="Logical date"
            description="Local time. None: the run has none."
            value={form.logicalDate}
            onChange={set("logicalDate")}
          />
          <TextInput
            label="Run id"
            description="None: one is made."
            maxLength={250}
            value={form.runId}
            onChange={set("runId")}
          />
        </Group>
        <Textarea label="Note" maxLength={1000} autosize minRows={2} value={form.note} onChange={set("note")} />
        {isPaused && (
          <Checkbox
            label="Unpause the DAG, so that the run starts"
            checked={unpauses}
            onChange={(event) => setUnpauses(event.currentTarget.checked)}
          />
        )}
        <Group justify="flex-end">
          <Button variant="default" onClick={onDone}>
            Cancel
          </Button>
          <Button type="submit" loading={trigger.isPending} disabled={parsed.problem !== null}>
            Trigger
          </Button>
        </Group>
      </Stack>
    </form>
  );
}
