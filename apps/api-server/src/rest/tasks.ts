/** Tasks of a DAG, as its newest version has them. */
import { ApiError, queryText, type TaskResponse, type TimeDelta } from "@updraft/contract";
import { mappingUnits, type SerializedDag, type SerializedTask } from "@updraft/dag-core";
import type { ApiContext } from "../context.ts";
import { iso } from "../http/iso.ts";
import { pathPart, type RouteTable } from "../http/routes.ts";
import { queryReader } from "../http/validate.ts";
import { dagOf } from "./dags.ts";
import { orderingOf } from "./ordering.ts";

const readQuery = queryReader({ order_by: queryText });
const ORDERINGS = [
  "task_id",
  "task_display_name",
  "owner",
  "start_date",
  "end_date",
  "queue",
  "pool",
  "priority_weight",
  "operator_name",
] as const;

export function taskRoutes({ store }: ApiContext): RouteTable {
  return {
    "/dags/:dag_id/tasks": {
      async get(request) {
        const [order = "task_id"] = orderingOf([readQuery(request).order_by ?? ""], ORDERINGS, ["task_id"]);
        const { form } = await dagOf(store, request);
        const tasks = form.tasks.map(presenterOf(form));
        return { tasks: tasks.sort(comparedBy(order)), total_entries: tasks.length };
      },
    },
    "/dags/:dag_id/tasks/:task_id": {
      async get(request) {
        const task_id = pathPart(request, "task_id");
        const { form } = await dagOf(store, request);
        const task = form.tasks.find((one) => one.task_id === task_id);
        if (task === undefined) throw new ApiError("task_not_found", { task_id });
        return presenterOf(form)(task);
      },
    },
  };
}

function comparedBy(order: string): (left: TaskResponse, right: TaskResponse) => number {
  const attribute = order.replace(/^-/, "") as (typeof ORDERINGS)[number];
  const sign = order.startsWith("-") ? -1 : 1;
  return (left, right) => {
    const [one, other] = [left[attribute] ?? "", right[attribute] ?? ""];
    if (one === other) return 0;
    return (one < other ? -1 : 1) * sign;
  };
}

function presenterOf(dag: SerializedDag): (task: SerializedTask) => TaskResponse {
  const units = mappingUnits(dag);
  return (task) => taskResponseOf(task, units.has(task.task_id));
}

function taskResponseOf(task: SerializedTask, is_mapped: boolean): TaskResponse {
  return {
    task_id: task.task_id,
    task_display_name: task.task_id,
    owner: task.owner,
    start_date: iso(task.start_date),
    end_date: iso(task.end_date),
    trigger_rule: task.trigger_rule,
    depends_on_past: task.depends_on_past,
    wait_for_downstream: task.wait_for_downstream,
    retries: task.retries,
    queue: task.queue,
    pool: task.pool,
    pool_slots: task.pool_slots,
    execution_timeout: task.execution_timeout === null ? null : timeDeltaOf(task.execution_timeout),
    retry_delay: timeDeltaOf(task.retry_delay),
    retry_exponential_backoff: task.retry_exponential_backoff,
    priority_weight: task.priority_weight,
    weight_rule: task.weight_rule,
    ui_color: null,
    ui_fgcolor: null,
    template_fields: [],
    downstream_task_ids: [...task.downstream_task_ids],
    doc_md: task.doc_md,
    operator_name: task.operator_name,
    params: {},
    class_ref: null,
    is_mapped,
    extra_links: [],
  };
}

/** Seconds as Python's timedelta holds them. */
function timeDeltaOf(seconds: number): TimeDelta {
  const whole = Math.floor(seconds);
  const microseconds = Math.round((seconds - whole) * 1_000_000);
  return { __type: "TimeDelta", days: Math.floor(whole / 86_400), seconds: whole % 86_400, microseconds };
}
