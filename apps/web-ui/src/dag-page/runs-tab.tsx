/** The runs of a DAG as a table, newest first, with filters in the address. */
import { Anchor, Group, Pagination, Select, Table, Text, TextInput } from "@mantine/core";
import { useDebouncedCallback } from "@mantine/hooks";
import { useState } from "react";
import { Link, useParams, useSearchParams } from "react-router";
import { useDagRuns } from "../api/runs.ts";
import { runPagePath } from "../app/paths.ts";
import { QueryContent } from "../app/query-content.tsx";
import { PAGE_SEARCH } from "../app/shortcuts.tsx";
import { changedParameters } from "../dag-list/dag-list-filters.ts";
import { StateBadge } from "../state/state-badge.tsx";
import { Elapsed, Moment } from "../time/moment.tsx";

const PAGE_SIZE = 50;
const SEARCH_PAUSE_MS = 200;
const STATES = ["queued", "running", "success", "failed"];
const RUN_TYPES = ["scheduled", "manual", "backfill", "asset_triggered"];

export function RunsTab() {
  const { dagId = "" } = useParams();
  const [parameters, setParameters] = useSearchParams();
  const page = Math.max(1, Math.trunc(Number(parameters.get("page"))) || 1);
  const runs = useDagRuns(dagId, {
    state: parameters.get("state"),
    run_type: parameters.get("run_type"),
    run_id_pattern: parameters.get("run_id"),
    order_by: "-run_after",
    limit: PAGE_SIZE,
    offset: (page - 1) * PAGE_SIZE,
  });
  const change = (changed: Readonly<Record<string, string | null>>): void =>
    setParameters((before) => changedParameters(before, changed), { replace: true });
  return (
    <>
      <RunFilters parameters={parameters} onChange={change} />
      <QueryContent query={runs} what="the runs">
        {({ dag_runs: rows, total_entries: total }) => (
          <>
            <Table.ScrollContainer minWidth={800}>
              <Table highlightOnHover>
                <Table.Thead>
                  <Table.Tr>
                    <Table.Th>Run</Table.Th>
                    <Table.Th>State</Table.Th>
                    <Table.Th>Type</Table.Th>
                    <Table.Th>Logical date</Table.Th>
                    <Table.Th>Start</Table.Th>
                    <Table.Th>Duration</Table.Th>
                    <Table.Th>Note</Table.Th>
                  </Table.Tr>
                </Table.Thead>
                <Table.Tbody>
                  {rows.map((run) => (
                    <Table.Tr key={run.dag_run_id}>
                      <Table.Td>
                        <Anchor component={Link} to={runPagePath(dagId, run.dag_run_id)} size="sm">
                          {run.dag_run_id}
                        </Anchor>
                      </Table.Td>
                      <Table.Td>
                        <StateBadge state={run.state} />
                      </Table.Td>
                      <Table.Td>{run.run_type}</Table.Td>
                      <Table.Td>
                        <Moment at={run.logical_date} />
                      </Table.Td>
                      <Table.Td>
                        <Moment at={run.start_date} />
                      </Table.Td>
                      <Table.Td>
                        <Elapsed start={run.start_date} end={run.end_date} />
                      </Table.Td>
                      <Table.Td maw={200}>
                        <Text size="sm" truncate title={run.note ?? ""}>
                          {run.note}
                        </Text>
                      </Table.Td>
                    </Table.Tr>
                  ))}
                </Table.Tbody>
              </Table>
            </Table.ScrollContainer>
            <Group justify="space-between">
              <Text size="sm" c="dimmed">
                {total === 0 ? "No runs fit." : `${total} runs`}
              </Text>
              {total > PAGE_SIZE && (
                <Pagination
                  total={Math.ceil(total / PAGE_SIZE)}
                  value={page}
                  onChange={(next) => change({ page: String(next) })}
                  getControlProps={(control) => ({ "aria-label": `${control} page` })}
                />
              )}
            </Group>
          </>
        )}
      </QueryContent>
    </>
  );
}

interface RunFiltersProps {
  readonly parameters: URLSearchParams;
  onChange(change: Readonly<Record<string, string | null>>): void;
}

function RunFilters({ parameters, onChange }: RunFiltersProps) {
  const [search, setSearch] = useState(parameters.get("run_id") ?? "");
  const changeSearch = useDebouncedCallback((text: string) => onChange({ run_id: text }), SEARCH_PAUSE_MS);
  return (
    <Group mb="sm">
      <TextInput
        aria-label="Search runs by id"
        placeholder="Run id (/)"
        value={search}
        onChange={(event) => {
          setSearch(event.currentTarget.value);
          changeSearch(event.currentTarget.value);
        }}
        {...PAGE_SEARCH}
      />
      <Select
        aria-label="Filter by state"
        placeholder="Any state"
        data={STATES}
        value={parameters.get("state")}
        onChange={(state) => onChange({ state })}
        clearable
      />
      <Select
        aria-label="Filter by type"
        placeholder="Any type"
        data={RUN_TYPES}
        value={parameters.get("run_type")}
        onChange={(runType) => onChange({ run_type: runType })}
        clearable
      />
    </Group>
  );
}
