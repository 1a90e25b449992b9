/** Why a task instance is not running, from what the server knows. */
import { Alert, List } from "@mantine/core";
import { Hourglass } from "lucide-react";
import type { InstanceKey } from "../api/keys.ts";
import { useDependencies } from "../api/task-instances.ts";

interface WhyWaitingProps {
  readonly instanceKey: InstanceKey;
  readonly title?: string;
  /** Names of the reasons to show; all without it. */
  readonly only?: ReadonlySet<string>;
}

export function WhyWaiting({ instanceKey, title = "Why it is not running", only }: WhyWaitingProps) {
  const all = useDependencies(instanceKey).data?.dependencies ?? [];
  const reasons = only === undefined ? all : all.filter(({ name }) => only.has(name));
  if (reasons.length === 0) return null;
  return (
    <Alert color="blue" icon={<Hourglass aria-hidden="true" />} title={title} mb="md">
      <List size="sm">
        {reasons.map(({ name, reason }) => (
          <List.Item key={`${name} ${reason}`}>
            <b>{name}</b>: {reason}
          </List.Item>
        ))}
      </List>
    </Alert>
  );
}
