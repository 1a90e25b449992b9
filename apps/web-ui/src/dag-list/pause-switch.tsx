/** Whether the scheduler may create and start runs of a DAG. */
import { Switch } from "@mantine/core";
import { usePauseDag } from "../api/dags.ts";

interface PauseSwitchProps {
  readonly dagId: string;
  readonly isPaused: boolean;
}

export function PauseSwitch({ dagId, isPaused }: PauseSwitchProps) {
  const pause = usePauseDag(dagId);
  const label = isPaused ? `${dagId} is paused. Unpause it.` : `${dagId} is active. Pause it.`;
  return (
    <Switch
      size="sm"
      checked={!isPaused}
      aria-label={label}
      title={label}
      onChange={(event) => pause.mutate(!event.currentTarget.checked)}
    />
  );
}
