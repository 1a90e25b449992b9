/** Search and filters above the DAG list. */
import { Group, MultiSelect, SegmentedControl, TextInput } from "@mantine/core";
import { useDebouncedCallback } from "@mantine/hooks";
import { Search } from "lucide-react";
import { useState } from "react";
import { useDagStats, useDagTags } from "../api/dags.ts";
import { PAGE_SEARCH } from "../app/shortcuts.tsx";
import { type DagListFilters, RUN_STATE_FILTERS } from "./dag-list-filters.ts";

const SEARCH_PAUSE_MS = 200;

interface DagListToolbarProps {
  readonly filters: DagListFilters;
  onChange(change: Readonly<Record<string, string | readonly string[] | null>>): void;
}

export function DagListToolbar({ filters, onChange }: DagListToolbarProps) {
  const [search, setSearch] = useState(filters.search);
  const changeSearch = useDebouncedCallback((text: string) => onChange({ search: text }), SEARCH_PAUSE_MS);
  const tags = useDagTags();
  return (
    <Group mb="md" gap="sm">
      <TextInput
        aria-label="Search DAGs by name"
        placeholder="Search DAGs (/)"
        leftSection={<Search size={16} aria-hidden="true" />}
        value={search}
        onChange={(event) => {
          setSearch(event.currentTarget.value);
          changeSearch(event.currentTarget.value);
        }}
        w={260}
        {...PAGE_SEARCH}
      />
      <MultiSelect
        aria-label="Filter by tag"
        placeholder={filters.tags.length === 0 ? "Tags" : ""}
        data={[...new Set([...(tags.data?.tags ?? []), ...filters.tags])]}
        value={[...filters.tags]}
        onChange={(chosen) => onChange({ tags: chosen })}
        searchable
        clearable
        w={220}
      />
      <StateFilter filters={filters} onChange={onChange} />
      <SegmentedControl
        aria-label="Filter by paused"
        value={filters.paused}
        onChange={(paused) => onChange({ paused })}
        data={[
          { value: "all", label: "All" },
          { value: "active", label: "Active" },
          { value: "paused", label: "Paused" },
        ]}
      />
    </Group>
  );
}

function StateFilter({ filters, onChange }: DagListToolbarProps) {
  const stats = useDagStats().data;
  const counts: Readonly<Record<string, number | undefined>> = {
    failed: stats?.failed_dag_count,
    running: stats?.running_dag_count,
    queued: stats?.queued_dag_count,
  };
  const withCount = (state: string): string => {
    const count = counts[state];
    return count === undefined ? state : `${state} (${count})`;
  };
  return (
    <SegmentedControl
      aria-label="Filter by the state of the last run"
      value={filters.state ?? ""}
      onChange={(state) => onChange({ state })}
      data={[
        { value: "", label: "Any state" },
        ...RUN_STATE_FILTERS.map((state) => ({ value: state, label: withCount(state) })),
      ]}
    />
  );
}
