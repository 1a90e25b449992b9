/** Why a task instance is not running, from what the server knows. */
import { Alert, List } from "@mantine/core";
import { Hourglass } from "lucide-react";
import type { InstanceKey } from "../api/keys.ts";
import { useDependencies } from "../api/task-instances.ts";

export function WhyWaiting({ instanceKey }: { readonly instanceKey: InstanceKey }) {
  const reasons = useDependencies(instanceKey).data?.dependencies ?? [];
  if (reasons.length === 0) return null;
  return (
    <Alert color="blue" icon={<Hourglass aria-hidden="true" />} title="Why it is not running" mb="md">
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
