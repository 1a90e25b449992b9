/** The page of one task instance below its breadcrumbs. Tab and try are in the address. */
import { Group, SegmentedControl, Select, Text, Title } from "@mantine/core";
import type { TaskInstanceResponse } from "@updraft/contract";
import { useSearchParams } from "react-router";
import type { InstanceKey } from "../api/keys.ts";
import { useMarkInstance, useTries } from "../api/task-instances.ts";
import { ConfirmButton } from "../app/confirm-button.tsx";
import { changedParameters } from "../dag-list/dag-list-filters.ts";
import { LogViewer } from "../log-viewer/log-viewer.tsx";
import { StateBadge } from "../state/state-badge.tsx";
import { isFinishedState, stateWords } from "../state/state-names.ts";
import { Elapsed, Moment } from "../time/moment.tsx";
import { ClearButton } from "./clear-button.tsx";
import { InstanceDetails } from "./instance-details.tsx";
import { WhyWaiting } from "./why-waiting.tsx";
import { XcomTab } from "./xcom-tab.tsx";

const TABS = [
  { value: "logs", label: "Logs" },
  { value: "xcom", label: "XCom" },
  { value: "details", label: "Details" },
];

interface InstanceContentProps {
  readonly instanceKey: InstanceKey;
  readonly instance: TaskInstanceResponse;
}

export function InstanceContent({ instanceKey, instance }: InstanceContentProps) {
  const [parameters, setParameters] = useSearchParams();
  const tab = parameters.get("tab") ?? "logs";
  const tries = useTries(instanceKey).data?.task_instances ?? [];
  const change = (changed: Readonly<Record<string, string | null>>): void =>
    setParameters((before) => changedParameters(before, changed), { replace: true });
  const tryNumber = Number(parameters.get("try_number")) || instance.try_number;
  const isWaiting = !isFinishedState(instance.state) && instance.state !== "running";
  return (
    <>
      <InstanceHeader instanceKey={instanceKey} instance={instance} />
      {isWaiting && <WhyWaiting instanceKey={instanceKey} />}
      <Group mb="md">
        <SegmentedControl
          data={TABS}
          value={tab}
          onChange={(value) => change({ tab: value })}
          aria-label="Of the task"
        />
        {tab === "logs" && tries.length > 1 && (
          <Select
            aria-label="Try"
            w={200}
            size="sm"
            allowDeselect={false}
            data={tries.map((one) => ({
              value: String(one.try_number),
              label: `Try ${one.try_number}: ${stateWords(one.state)}`,
            }))}
            value={String(tryNumber)}
            onChange={(value) => change({ try_number: value })}
          />
        )}
      </Group>
      {tab === "logs" && <TryLog instanceKey={instanceKey} instance={instance} tryNumber={tryNumber} />}
      {tab === "xcom" && <XcomTab instanceKey={instanceKey} />}
      {tab === "details" && <InstanceDetails instance={instance} tries={tries} />}
    </>
  );
}

function TryLog({ instanceKey, instance, tryNumber }: InstanceContentProps & { readonly tryNumber: number }) {
  const isToCome = tryNumber < 1 || (tryNumber === instance.try_number && WAITING_STATES.has(instance.state ?? "none"));
  if (isToCome) return <Text c="dimmed">The try has not started, so there is no log. It opens here when it does.</Text>;
  return <LogViewer tryKey={{ ...instanceKey, tryNumber }} />;
}

/** A try in one of these has not begun to write. */
const WAITING_STATES: ReadonlySet<string> = new Set(["none", "scheduled", "queued"]);

function InstanceHeader({ instanceKey, instance }: InstanceContentProps) {
  const mark = useMarkInstance(instanceKey);
  return (
    <Group justify="space-between" mb="md" align="flex-start">
      <div>
        <Group gap="sm">
          <Title order={1} size="h3">
            {instance.task_display_name}
            {instance.map_index >= 0 && ` [${instance.rendered_map_index ?? instance.map_index}]`}
          </Title>
          <StateBadge state={instance.state} size="lg" />
        </Group>
        <Text size="sm" c="dimmed">
          {instance.operator_name ?? instance.operator} · try {instance.try_number} of {instance.max_tries + 1} ·
          started <Moment at={instance.start_date} /> · took{" "}
          <Elapsed start={instance.start_date} end={instance.end_date} />
        </Text>
      </div>
      <Group gap="xs">
        <ClearButton instanceKey={instanceKey} />
        <ConfirmButton
          label="Mark success"
          question="The task becomes successful; if it runs, it is ended. Tasks that wait for it may start."
          disabled={instance.state === "success"}
          loading={mark.isPending}
          onConfirm={() => mark.mutate("success")}
        />
        <ConfirmButton
          label="Mark failed"
          question="The task fails without further tries; if it runs, it is ended."
          disabled={instance.state === "failed"}
          loading={mark.isPending}
          onConfirm={() => mark.mutate("failed")}
        />
      </Group>
    </Group>
  );
}
