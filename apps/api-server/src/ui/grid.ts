/** `/ui/grid` and `/ui/structure`: a DAG's tasks, its runs, and the state of each task in each run. */
import {
  ApiError,
  instantRange,
  pageQuery,
  queryBoolean,
  queryInteger,
  queryText,
  queryTexts,
  type StructureNode,
} from "@updraft/contract";
import { closure, DAG_RUN_STATES, DAG_RUN_TYPES, type SerializedDag } from "@updraft/dag-core";
import type { Request } from "express";
import { z } from "zod";
import type { ApiContext } from "../context.ts";
import { pathPart, type RouteTable } from "../http/routes.ts";
import { queryReader } from "../http/validate.ts";
import { dagOf } from "../rest/dags.ts";
import { DAG_RUN_ORDERINGS, orderByQuery, orderingOf } from "../rest/ordering.ts";
import { rangeOf } from "../rest/ranges.ts";
import type { VersionLookup } from "../rest/version-lookup.ts";
import { gridNodeOf, gridRunOf, summariesOf } from "./grid-present.ts";
import { type TreeNode, taskTreeOf } from "./task-tree.ts";

const NEWEST_FIRST = ["-run_after"];
/** A page of the grid shows at most so many. */
const MOST_SUMMARIES = 365;

const readRunsQuery = queryReader({
  ...pageQuery,
  ...orderByQuery,
  ...instantRange("run_after"),
  run_type: z.array(z.enum(DAG_RUN_TYPES)).default([]),
  state: z.array(z.enum(DAG_RUN_STATES)).default([]),
  triggering_user: queryText,
});
const readSummariesQuery = queryReader({ run_ids: queryTexts });
const readStructureQuery = queryReader({
  dag_id: z.string(),
  version_number: queryInteger().optional(),
  root: queryText,
  include_upstream: queryBoolean.default(false),
  include_downstream: queryBoolean.default(false),
});

export function gridRoutes({ store, clock }: ApiContext, versions: VersionLookup): RouteTable {
  return {
    "/grid/structure/:dag_id": {
      get: async (request) => taskTreeOf((await dagOf(store, request)).form).map(gridNodeOf),
    },
    "/grid/runs/:dag_id": {
      async get(request) {
        const { limit, offset, order_by, run_type, state, triggering_user, ...query } = readRunsQuery(request);
        const filter = {
          dag_id: pathPart(request, "dag_id"),
          run_types: run_type,
          states: state,
          triggering_user_name_pattern: triggering_user,
          run_after: rangeOf(query, "run_after"),
        };
        const page = { limit, offset, order_by: orderingOf(order_by, DAG_RUN_ORDERINGS, NEWEST_FIRST) };
        const { rows } = await store.listDagRuns(filter, page);
        const versionOf = await versions.of(rows);
        return rows.map((run) => gridRunOf(run, versionOf, clock.now()));
      },
    },
    "/grid/ti_summaries/:dag_id": {
      async get(request, response) {
        const { form } = await dagOf(store, request);
        const dag_id = pathPart(request, "dag_id");
        const runIds = readSummariesQuery(request).run_ids.slice(0, MOST_SUMMARIES);
        const counts = await store.countTaskStates(dag_id, runIds);
        const byRun = Map.groupBy(counts, ({ run_id }) => run_id);
        const tree = taskTreeOf(form);
        response.type("application/x-ndjson");
        for (const run_id of runIds) {
          const task_instances = summariesOf(tree, byRun.get(run_id) ?? []);
          response.write(`${JSON.stringify({ run_id, dag_id, task_instances })}\n`);
        }
        response.end();
      },
    },
    "/structure/structure_data": { get: (request) => structureOf(store, request) },
  };
}

async function structureOf(store: ApiContext["store"], request: Request) {
  const query = readStructureQuery(request);
  const form = await formOf(store, query.dag_id, query.version_number);
  const shown = shownTasks(form, query);
  const edges = form.tasks.flatMap((task) =>
    task.downstream_task_ids
      .filter((target) => shown.has(task.task_id) && shown.has(target))
      .map((target) => ({
        source_id: task.task_id,
        target_id: target,
        is_setup_teardown: null,
        label: form.edge_labels[task.task_id]?.[target] ?? null,
        is_source_asset: null,
      })),
  );
  return { edges, nodes: taskTreeOf(form).flatMap((node) => structureNodes(node, shown)) };
}

async function formOf(
  store: ApiContext["store"],
  dag_id: string,
  version_number: number | undefined,
): Promise<SerializedDag> {
  if (version_number === undefined) {
    const dag = await store.getDag(dag_id);
    if (dag === null) throw new ApiError("dag_not_found", { dag_id });
    return dag.form;
  }
  const version = await store.getDagVersion(dag_id, version_number);
  if (version === null) throw new ApiError("dag_version_not_found", { dag_id, version_number });
  return version.form;
}

/** Every task, or a root with its neighbours. */
function shownTasks(
  form: SerializedDag,
  { root, include_upstream, include_downstream }: ReturnType<typeof readStructureQuery>,
): ReadonlySet<string> {
  if (root === undefined) return new Set(form.tasks.map(({ task_id }) => task_id));
  return new Set([
    root,
    ...(include_upstream ? closure(form, [root], "upstream") : []),
    ...(include_downstream ? closure(form, [root], "downstream") : []),
  ]);
}

/** A group without a shown task is left out. */
function structureNodes(node: TreeNode, shown: ReadonlySet<string>): StructureNode[] {
  const common = {
    id: node.id,
    label: node.label,
    is_mapped: node.isMapped,
    type: "task",
    team: null,
    setup_teardown_type: null,
    asset_condition_type: null,
  } as const;
  if (node.kind === "task") {
    const { operator_name, doc_md } = node.task;
    if (!shown.has(node.id)) return [];
    return [{ ...common, children: null, tooltip: doc_md, operator: operator_name }];
  }
  const children = node.children.flatMap((child) => structureNodes(child, shown));
  return children.length === 0 ? [] : [{ ...common, children, tooltip: null, operator: null }];
}
