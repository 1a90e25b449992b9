/** The grid of a DAG with its options: how many runs, groups open or closed. Options stay in this browser. */
import { Button, Group, Select, Text } from "@mantine/core";
import { useLocalStorage } from "@mantine/hooks";
import type { GridNode, GridRun } from "@updraft/contract";
import { useCallback, useMemo, useState } from "react";
import { useNavigate, useParams } from "react-router";
import { useSkippedTicks } from "../api/dags.ts";
import { useGridRuns, useGridStructure, useRunSummaries } from "../api/grid.ts";
import { runPagePath, taskPagePath } from "../app/paths.ts";
import { QueryContent } from "../app/query-content.tsx";
import { Grid } from "./grid.tsx";
import { type GridRow, gridColumns, gridRows, groupIds, placeSkippedTicks } from "./grid-layout.ts";

const RUN_COUNTS = ["5", "10", "25", "50", "100"];

export function GridTab() {
  const { dagId = "" } = useParams();
  const [limit, setLimit] = useLocalStorage({ key: "updraft-grid-runs", defaultValue: "50" });
  const structure = useGridStructure(dagId);
  const runs = useGridRuns(dagId, Number(limit));
  return (
    <QueryContent query={structure} what="the tasks">
      {(nodes) => (
        <QueryContent query={runs} what="the runs">
          {(page) => (
            <GridWithOptions dagId={dagId} nodes={nodes} runs={page}>
              <Select
                aria-label="Number of runs"
                data={RUN_COUNTS}
                value={limit}
                onChange={(chosen) => setLimit(chosen ?? "50")}
                allowDeselect={false}
                w={90}
                size="xs"
              />
            </GridWithOptions>
          )}
        </QueryContent>
      )}
    </QueryContent>
  );
}

interface GridWithOptionsProps {
  readonly dagId: string;
  readonly nodes: readonly GridNode[];
  readonly runs: readonly GridRun[];
  readonly children: React.ReactNode;
}

function GridWithOptions({ dagId, nodes, runs, children }: GridWithOptionsProps) {
  const navigate = useNavigate();
  const [closed, setClosed] = useState<ReadonlySet<string>>(new Set());
  const rows = useMemo(() => gridRows(nodes, closed), [nodes, closed]);
  const columns = useMemo(() => gridColumns(runs), [runs]);
  const runIds = useMemo(() => columns.map((run) => run.run_id), [columns]);
  const summaries = useRunSummaries(dagId, runIds);
  const ticks = useSkippedTicks(dagId).data?.skipped_ticks;
  const skips = useMemo(() => placeSkippedTicks(columns, ticks ?? []), [columns, ticks]);
  const toggle = useCallback((id: string) => setClosed((before) => toggled(before, id)), []);
  const open = (run: GridRun, row: GridRow | undefined): void => {
    const isTask = row !== undefined && !row.isGroup;
    void navigate(isTask ? taskPagePath(dagId, run.run_id, row.id) : runPagePath(dagId, run.run_id));
  };
  const groups = useMemo(() => groupIds(nodes), [nodes]);
  return (
    <>
      <Group mb="xs" gap="xs">
        {children}
        {groups.length > 0 && (
          <>
            <Button size="xs" variant="default" onClick={() => setClosed(new Set())}>
              Open all groups
            </Button>
            <Button size="xs" variant="default" onClick={() => setClosed(new Set(groups))}>
              Close all groups
            </Button>
          </>
        )}
        {columns.length === 0 && (
          <Text size="sm">No runs yet. Trigger one, or unpause the DAG if it has a schedule.</Text>
        )}
      </Group>
      <Grid rows={rows} runs={columns} summaries={summaries} skips={skips} onOpen={open} onToggle={toggle} />
    </>
  );
}

function toggled(before: ReadonlySet<string>, id: string): ReadonlySet<string> {
  const after = new Set(before);
  if (!after.delete(id)) after.add(id);
  return after;
}
