/** The list of runs asked for by POST, for filters too long for an address. */
import { NO_CURSORS } from "@updraft/contract";
import { DAG_RUN_STATES } from "@updraft/dag-core";
import { z } from "zod";
import type { ApiContext } from "../context.ts";
import { instantOf } from "../http/iso.ts";
import type { RouteTable } from "../http/routes.ts";
import { parseBody } from "../http/validate.ts";
import { DAG_RUN_ORDERINGS, orderingOf } from "./ordering.ts";
import { dagRunResponseOf } from "./present-runs.ts";
import { rangeOf } from "./ranges.ts";
import type { VersionLookup } from "./version-lookup.ts";

const MOST_ROWS = 100;
const instant = z.iso.datetime({ offset: true }).nullish().transform(instantOf);
const texts = z
  .array(z.string())
  .max(1000)
  .nullish()
  .transform((list) => list ?? undefined);

const dagRunsBatchBody = z.strictObject({
  states: z.array(z.enum(DAG_RUN_STATES)).nullish(),
  order_by: z.string().nullish(),
  page_offset: z.int().nonnegative().default(0),
  page_limit: z.int().nonnegative().default(MOST_ROWS),
  dag_ids: texts,
  ...boundsOf("run_after"),
  ...boundsOf("logical_date"),
  ...boundsOf("start_date"),
  ...boundsOf("end_date"),
});
function boundsOf<Name extends string>(name: Name) {
  const bounds = ["gte", "gt", "lte", "lt"] as const;
  return Object.fromEntries(bounds.map((bound) => [`${name}_${bound}`, instant])) as Record<
    `${Name}_${(typeof bounds)[number]}`,
    typeof instant
  >;
}

export function dagRunBatchRoutes({ store }: ApiContext, versions: VersionLookup): RouteTable {
  return {
    "/dags/:dag_id/dagRuns/list": {
      async post(request) {
        const body = parseBody(dagRunsBatchBody, request);
        const order_by = orderingOf([body.order_by ?? ""], DAG_RUN_ORDERINGS, ["id"]);
        const filter = { dag_ids: body.dag_ids, states: body.states ?? undefined, ...rangesOf(body) };
        const page = { limit: Math.min(body.page_limit, MOST_ROWS), offset: body.page_offset, order_by };
        const { rows, total_entries } = await store.listDagRuns(filter, page);
        const versionOf = await versions.of(rows);
        return { dag_runs: rows.map((run) => dagRunResponseOf(run, versionOf)), total_entries, ...NO_CURSORS };
      },
    },
  };
}

function rangesOf(body: z.output<typeof dagRunsBatchBody>) {
  return {
    run_after: rangeOf(body, "run_after"),
    logical_date: rangeOf(body, "logical_date"),
    start_date: rangeOf(body, "start_date"),
    end_date: rangeOf(body, "end_date"),
  };
}
