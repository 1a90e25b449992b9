/** All DAGs: which are active, how their last runs went, when they run next. */
import { Group, Pagination, Text, Title } from "@mantine/core";
import { useDocumentTitle } from "@mantine/hooks";
import { useCallback } from "react";
import { useSearchParams } from "react-router";
import { useDags } from "../api/dags.ts";
import { useUiConfig } from "../api/session.ts";
import { QueryContent } from "../app/query-content.tsx";
import { changedParameters, filtersOf, isFiltered, PAGE_SIZE, questionOf } from "./dag-list-filters.ts";
import { DagListTable } from "./dag-list-table.tsx";
import { DagListToolbar } from "./dag-list-toolbar.tsx";
import { ImportErrorsBanner } from "./import-errors.tsx";
import { NoDags, NoMatches } from "./no-dags.tsx";
import { ServicesBanner } from "./services-banner.tsx";

export function DagListPage() {
  useDocumentTitle("DAGs · Updraft");
  const [parameters, setParameters] = useSearchParams();
  const config = useUiConfig();
  const filters = filtersOf(parameters, config.data?.hide_paused_dags_by_default ?? false);
  const dags = useDags(questionOf(filters));
  const change = useCallback(
    (changed: Parameters<typeof changedParameters>[1]) =>
      setParameters((before) => changedParameters(before, changed), { replace: true }),
    [setParameters],
  );
  const addTag = useCallback((tag: string) => change({ tags: [tag] }), [change]);
  return (
    <>
      <Group justify="space-between" mb="sm">
        <Title order={1} size="h2">
          DAGs
        </Title>
        {dags.data !== undefined && (
          <Text c="dimmed" size="sm">
            {dags.data.total_entries} in all
          </Text>
        )}
      </Group>
      <ServicesBanner />
      <ImportErrorsBanner />
      <DagListToolbar filters={filters} onChange={change} />
      <QueryContent query={dags} what="the DAGs">
        {({ dags: rows, total_entries: total }) => {
          if (total === 0) {
            return isFiltered(filters) ? <NoMatches onClear={() => setParameters({ paused: "all" })} /> : <NoDags />;
          }
          return (
            <>
              <DagListTable dags={rows} onTag={addTag} />
              {total > PAGE_SIZE && (
                <Pagination
                  mt="md"
                  total={Math.ceil(total / PAGE_SIZE)}
                  value={filters.page}
                  onChange={(page) => change({ page: String(page) })}
                  getControlProps={(control) => ({ "aria-label": `${control} page` })}
                />
              )}
            </>
          );
        }}
      </QueryContent>
    </>
  );
}
