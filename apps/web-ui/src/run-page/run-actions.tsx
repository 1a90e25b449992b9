/** What a user may do to a run. */
import { Group } from "@mantine/core";
import type { DagRunResponse } from "@updraft/contract";
import { useClearRun, usePatchRun } from "../api/runs.ts";
import { ConfirmButton } from "../app/confirm-button.tsx";

export function RunActions({ run }: { readonly run: DagRunResponse }) {
  const clear = useClearRun(run.dag_id, run.dag_run_id);
  const patch = usePatchRun(run.dag_id, run.dag_run_id);
  return (
    <Group gap="xs">
      <ConfirmButton
        label="Clear failed tasks"
        question="The failed tasks of this run, and those that could not run because of them, run again."
        loading={clear.isPending}
        onConfirm={() => clear.mutate(true)}
      />
      <ConfirmButton
        label="Clear all tasks"
        question="All tasks of this run are run again, those that succeeded as well."
        loading={clear.isPending}
        onConfirm={() => clear.mutate(false)}
      />
      <ConfirmButton
        label="Mark success"
        question="The run and its unfinished tasks become successful. Running tasks are ended."
        disabled={run.state === "success"}
        loading={patch.isPending}
        onConfirm={() => patch.mutate({ state: "success" })}
      />
      <ConfirmButton
        label="Mark failed"
        question="The run fails. Running tasks are ended, and waiting ones are skipped."
        disabled={run.state === "failed"}
        loading={patch.isPending}
        onConfirm={() => patch.mutate({ state: "failed" })}
      />
    </Group>
  );
}
