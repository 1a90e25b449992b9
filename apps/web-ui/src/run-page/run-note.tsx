/** The note of a run, written in place. */
import { Button, Group, Text, Textarea } from "@mantine/core";
import type { DagRunResponse } from "@updraft/contract";
import { useState } from "react";
import { usePatchRun } from "../api/runs.ts";

export function RunNote({ run }: { readonly run: DagRunResponse }) {
  const patch = usePatchRun(run.dag_id, run.dag_run_id);
  const [draft, setDraft] = useState<string | null>(null);
  if (draft === null) {
    return (
      <Group gap="xs">
        <Text size="sm" style={{ whiteSpace: "pre-wrap" }}>
          {run.note ?? "–"}
        </Text>
        <Button size="compact-xs" variant="subtle" onClick={() => setDraft(run.note ?? "")}>
          {run.note === null ? "Add a note" : "Change"}
        </Button>
      </Group>
    );
  }
  const save = (): void => patch.mutate({ note: draft }, { onSuccess: () => setDraft(null) });
  return (
    <>
      <Textarea
        aria-label="Note"
        maxLength={1000}
        autosize
        minRows={2}
        value={draft}
        onChange={(event) => setDraft(event.currentTarget.value)}
      />
      <Group gap="xs" mt={4}>
        <Button size="compact-sm" onClick={save} loading={patch.isPending}>
          Save
        </Button>
        <Button size="compact-sm" variant="default" onClick={() => setDraft(null)}>
          Cancel
        </Button>
      </Group>
    </>
  );
}
