/** The way from the DAGs to a task instance. */
import { Anchor, Breadcrumbs, Text } from "@mantine/core";
import { Link } from "react-router";
import type { InstanceKey } from "../api/keys.ts";
import { dagPagePath, runPagePath, taskPagePath } from "../app/paths.ts";

export function TaskBreadcrumbs({ instanceKey }: { readonly instanceKey: InstanceKey }) {
  const { dagId, runId, taskId, mapIndex } = instanceKey;
  const ways = [
    ["DAGs", "/dags"],
    [dagId, dagPagePath(dagId)],
    [runId, runPagePath(dagId, runId)],
    ...(mapIndex < 0 ? [] : [[taskId, taskPagePath(dagId, runId, taskId)]]),
  ] as const;
  return (
    <Breadcrumbs mb={4} style={{ flexWrap: "wrap" }}>
      {ways.map(([label = "", path = ""]) => (
        <Anchor key={path} component={Link} to={path} size="sm">
          {label}
        </Anchor>
      ))}
      <Text size="sm">{mapIndex < 0 ? taskId : `[${mapIndex}]`}</Text>
    </Breadcrumbs>
  );
}
