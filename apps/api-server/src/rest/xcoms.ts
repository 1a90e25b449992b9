/** XCom entries. */
import { ApiError, pageQuery, queryBoolean, queryInteger, queryText } from "@updraft/contract";
import type { XComRow } from "@updraft/metadata-store";
import type { ApiContext } from "../context.ts";
import { pathPart, type RouteTable } from "../http/routes.ts";
import { queryReader } from "../http/validate.ts";
import { dagRunOf } from "./dag-runs.ts";
import { orderByQuery, orderingOf, XCOM_ORDERINGS } from "./ordering.ts";
import { xcomEntryResponseOf } from "./present-runs.ts";
import { addressOf, INSTANCES } from "./task-instances.ts";

const readListQuery = queryReader({
  ...pageQuery,
  ...orderByQuery,
  xcom_key: queryText,
  map_index: queryInteger(-1).optional(),
});
const readOneQuery = queryReader({ map_index: queryInteger(-1).default(-1), stringify: queryBoolean.default(false) });

export function xcomRoutes({ store }: ApiContext): RouteTable {
  async function shown(rows: readonly XComRow[]) {
    const dag_ids = [...new Set(rows.map(({ dag_id }) => dag_id))];
    const page = { limit: dag_ids.length, offset: 0, order_by: [] };
    const dags = dag_ids.length === 0 ? [] : (await store.listDags({ dag_ids }, page)).rows;
    const names = new Map(dags.map((dag) => [dag.dag_id, dag.dag_display_name]));
    return rows.map((row) => ({ ...xcomEntryResponseOf(row), dag_display_name: names.get(row.dag_id) ?? row.dag_id }));
  }

  return {
    [`${INSTANCES}/:task_id/xcomEntries`]: {
      async get(request) {
        const { limit, offset, order_by, xcom_key, map_index } = readListQuery(request);
        const { dag_id, run_id, task_id } = addressOf(request);
        if (dag_id !== "~" && run_id !== "~") await dagRunOf(store, request);
        const named = { dag_id, run_id, task_id, key: xcom_key, map_index };
        const filter = Object.fromEntries(
          Object.entries(named).filter(([, value]) => value !== "~" && value !== undefined),
        );
        const page = { limit, offset, order_by: orderingOf(order_by, XCOM_ORDERINGS, []) };
        const { rows, total_entries } = await store.listXComs(filter, page);
        return { xcom_entries: await shown(rows), total_entries };
      },
    },
    [`${INSTANCES}/:task_id/xcomEntries/:xcom_key`]: {
      async get(request) {
        const { map_index, stringify } = readOneQuery(request);
        const key = pathPart(request, "xcom_key");
        const row = await store.getXCom({ ...addressOf(request), map_index, key });
        if (row === null) throw new ApiError("xcom_not_found", { xcom_key: key });
        const [entry] = await shown([row]);
        return { ...entry, value: stringify ? JSON.stringify(row.value) : row.value };
      },
    },
  };
}
