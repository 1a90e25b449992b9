/** One DAG: its header, and tabs for what it is and how it ran. */
import { Alert, Anchor, Badge, Breadcrumbs, Group, Text, Title } from "@mantine/core";
import { useDocumentTitle } from "@mantine/hooks";
import type { DagDetailsResponse } from "@updraft/contract";
import { FileWarning } from "lucide-react";
import { Link, Outlet, useLocation, useParams } from "react-router";
import { useDag, useImportErrors } from "../api/dags.ts";
import { LinkTabs } from "../app/link-tabs.tsx";
import { dagPagePath } from "../app/paths.ts";
import { QueryContent } from "../app/query-content.tsx";
import { ImportErrorList } from "../dag-list/import-errors.tsx";
import { PauseSwitch } from "../dag-list/pause-switch.tsx";
import { NextMoment } from "../time/moment.tsx";
import { TriggerButton } from "../trigger/trigger-button.tsx";

const TABS = [
  { value: "", label: "Grid" },
  { value: "graph", label: "Graph" },
  { value: "runs", label: "Runs" },
  { value: "tasks", label: "Tasks" },
  { value: "code", label: "Code" },
  { value: "details", label: "Details" },
] as const;

export function DagPage() {
  const { dagId = "" } = useParams();
  useDocumentTitle(`${dagId} · Updraft`);
  const dag = useDag(dagId);
  const tab = useLocation().pathname.split("/")[3] ?? "";
  return (
    <QueryContent query={dag} what={`the DAG ${dagId}`}>
      {(details) => (
        <>
          <DagHeader dag={details} />
          <LinkTabs label="Of the DAG" tabs={TABS} current={tab} pathOf={(value) => dagPagePath(dagId, value)} />
          <Outlet key={dagId} />
        </>
      )}
    </QueryContent>
  );
}

function DagHeader({ dag }: { readonly dag: DagDetailsResponse }) {
  return (
    <>
      <Breadcrumbs mb={4}>
        <Anchor component={Link} to="/dags" size="sm">
          DAGs
        </Anchor>
        <Text size="sm">{dag.dag_id}</Text>
      </Breadcrumbs>
      <Group justify="space-between" mb="xs" align="flex-start">
        <div>
          <Group gap="sm">
            <PauseSwitch dagId={dag.dag_id} isPaused={dag.is_paused} />
            <Title order={1} size="h2">
              {dag.dag_display_name}
            </Title>
            {dag.is_stale && <Badge color="orange">not in any file</Badge>}
            {dag.tags.map((tag) => (
              <Badge key={tag.name} variant="light" tt="none">
                {tag.name}
              </Badge>
            ))}
          </Group>
          {dag.description !== null && (
            <Text size="sm" c="dimmed" mt={4}>
              {dag.description}
            </Text>
          )}
          <Text size="sm" mt={4}>
            {dag.timetable_summary ?? "by hand only"} · <NextRun dag={dag} />
          </Text>
        </div>
        <TriggerButton dagId={dag.dag_id} isPaused={dag.is_paused} />
      </Group>
      {dag.has_import_errors && <DagImportErrors dag={dag} />}
    </>
  );
}

function NextRun({ dag }: { readonly dag: DagDetailsResponse }) {
  if (dag.is_paused) return <>paused: no run is created by schedule</>;
  if (dag.next_dagrun_run_after === null) return <>no next run</>;
  return (
    <>
      next run <NextMoment at={dag.next_dagrun_run_after} />
    </>
  );
}

function DagImportErrors({ dag }: { readonly dag: DagDetailsResponse }) {
  const errors = useImportErrors().data?.import_errors ?? [];
  const ofFile = errors.filter(({ filename }) => filename === dag.relative_fileloc || filename === dag.fileloc);
  return (
    <Alert
      color="red"
      icon={<FileWarning aria-hidden="true" />}
      mb="md"
      role="alert"
      title="The DAG's file has an import error. Its last good version is in use; correct the file and save it."
    >
      <ImportErrorList errors={ofFile} />
    </Alert>
  );
}
