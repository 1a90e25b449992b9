/** Filters of runs and of task instances, from a query or from the body of a batch call. */
import { instantRange, pageQuery, queryIntegers, queryText, queryTexts } from "@updraft/contract";
import { DAG_RUN_STATES, DAG_RUN_TYPES } from "@updraft/dag-core";
import type { DagRunFilter, TaskInstanceFilter } from "@updraft/metadata-store";
import { z } from "zod";
import { queryReader } from "../http/validate.ts";
import { orderByQuery } from "./ordering.ts";
import { rangeOf } from "./ranges.ts";

export const readDagRunQuery = queryReader({
  ...pageQuery,
  ...orderByQuery,
  ...instantRange("run_after"),
  ...instantRange("logical_date"),
  ...instantRange("start_date"),
  ...instantRange("end_date"),
  ...instantRange("updated_at"),
  run_type: z.array(z.enum(DAG_RUN_TYPES)).default([]),
  state: z.array(z.enum(DAG_RUN_STATES)).default([]),
  run_id_pattern: queryText,
  triggering_user_name_pattern: queryText,
});

export function dagRunFilterOf(query: ReturnType<typeof readDagRunQuery>, dagId: string): DagRunFilter {
  return {
    dag_id: dagId === "~" ? undefined : dagId,
    run_types: query.run_type,
    states: query.state,
    run_id_pattern: query.run_id_pattern,
    triggering_user_name_pattern: query.triggering_user_name_pattern,
    run_after: rangeOf(query, "run_after"),
    logical_date: rangeOf(query, "logical_date"),
    start_date: rangeOf(query, "start_date"),
    end_date: rangeOf(query, "end_date"),
    updated_at: rangeOf(query, "updated_at"),
  };
}

export const readTaskInstanceQuery = queryReader({
  ...pageQuery,
  ...orderByQuery,
  ...instantRange("run_after"),
  ...instantRange("logical_date"),
  ...instantRange("start_date"),
  ...instantRange("end_date"),
  task_id: queryText,
  task_display_name_pattern: queryText,
  state: queryTexts,
  pool: queryTexts,
  queue: queryTexts,
  operator: queryTexts,
  try_number: queryIntegers,
  map_index: queryIntegers,
});

export function taskInstanceFilterOf(
  query: ReturnType<typeof readTaskInstanceQuery>,
  dagId: string,
  runId: string,
): TaskInstanceFilter {
  return {
    dag_id: dagId === "~" ? undefined : dagId,
    run_id: runId === "~" ? undefined : runId,
    task_id: query.task_id,
    task_id_pattern: query.task_display_name_pattern,
    map_index: query.map_index[0],
    states: query.state,
    pools: query.pool,
    queues: query.queue,
    operators: query.operator,
    try_numbers: query.try_number,
    run_after: rangeOf(query, "run_after"),
    logical_date: rangeOf(query, "logical_date"),
    start_date: rangeOf(query, "start_date"),
    end_date: rangeOf(query, "end_date"),
  };
}
