/** One task in one run: its log, XComs and details, and why it waits if it does. */
import { useDocumentTitle } from "@mantine/hooks";
import { useState } from "react";
import { useParams, useSearchParams } from "react-router";
import type { InstanceKey } from "../api/keys.ts";
import { useMappedInstances, useTaskInstance } from "../api/task-instances.ts";
import { QueryContent } from "../app/query-content.tsx";
import { InstancesTable } from "../run-page/instances-table.tsx";
import { InstanceContent } from "./instance-content.tsx";
import { TaskBreadcrumbs } from "./task-breadcrumbs.tsx";

const PAGE_SIZE = 100;

export function TaskPage() {
  const { dagId = "", runId = "", taskId = "" } = useParams();
  const [parameters] = useSearchParams();
  const mapIndex = Number(parameters.get("map_index") ?? -1);
  useDocumentTitle(`${taskId} · ${dagId} · Updraft`);
  const instanceKey = { dagId, runId, taskId, mapIndex: Number.isInteger(mapIndex) ? mapIndex : -1 };
  const instance = useTaskInstance(instanceKey);
  return (
    <>
      <TaskBreadcrumbs instanceKey={instanceKey} />
      <QueryContent query={instance} what={`the task ${taskId}`}>
        {(detail) =>
          detail === null ? (
            <MappedInstances instanceKey={instanceKey} />
          ) : (
            <InstanceContent instanceKey={instanceKey} instance={detail} />
          )
        }
      </QueryContent>
    </>
  );
}

function MappedInstances({ instanceKey }: { readonly instanceKey: InstanceKey }) {
  const [page, setPage] = useState(1);
  const instances = useMappedInstances(instanceKey, { limit: PAGE_SIZE, offset: (page - 1) * PAGE_SIZE });
  return (
    <QueryContent query={instances} what="the mapped task instances">
      {({ task_instances: rows, total_entries: total }) => (
        <InstancesTable instances={rows} total={total} pageSize={PAGE_SIZE} page={page} onPage={setPage} />
      )}
    </QueryContent>
  );
}
