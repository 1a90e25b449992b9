/**
 * Deadlines of runs.
 *
 *   run created ──► time computed, stored ──► run succeeds before it: dropped
 *                                       └──► time passes (missed-deadlines.ts)
 *
 * A DAG without deadlines costs nothing here.
 */
import { createHash } from "node:crypto";
import { type DeadlineAlert, deadlineTime } from "@updraft/dag-core";
import type { DagPlan } from "../dag-plan.ts";
import { at, type Transaction } from "../database.ts";
import type { Engine } from "./context.ts";
import type { EngineRun } from "./runs.ts";

/** Names an alert of a version for good, although it is no row of its own. */
export function alertId(versionId: string, index: number): string {
  const hex = createHash("sha1").update(`${versionId}/${index}`).digest("hex");
  const variant = ((Number.parseInt(hex.charAt(16), 16) & 3) | 8).toString(16);
  return `${hex.slice(0, 8)}-${hex.slice(8, 12)}-5${hex.slice(13, 16)}-${variant}${hex.slice(17, 20)}-${hex.slice(20, 32)}`;
}

/** The deadlines of runs just created. One whose reference or interval does not exist is left out. */
export async function createDeadlines(
  engine: Engine,
  tx: Transaction,
  { dag, version_id }: DagPlan,
  runs: readonly EngineRun[],
): Promise<void> {
  const { deadlines = [] } = dag;
  if (deadlines.length === 0 || runs.length === 0) return;
  const now = engine.clock.now();
  const durations = await durationsOf(tx, dag.dag_id, deadlines);
  const variables = await variablesOf(tx, deadlines);
  const rows = runs.flatMap((run) =>
    deadlines.flatMap((alert, index) => {
      const variable = typeof alert.interval === "number" ? null : (variables.get(alert.interval.variable) ?? null);
      const { logical_date, queued_at } = run;
      const time = deadlineTime(alert, { logical_date, queued_at: queued_at ?? now, now, durations, variable });
      return time === null ? [] : [{ run, alert, alert_id: alertId(version_id, index), ...time }];
    }),
  );
  tx.send({
    name: "insert_deadlines",
    text: `INSERT INTO deadline (id, dag_run, alert_id, alert_name, reference_type, interval_seconds, deadline_time, callback,
        created_at, last_updated_at)
      SELECT u.*, $9, $9 FROM unnest($1::uuid[], $2::bigint[], $3::uuid[], $4::text[], $5::text[], $6::double precision[],
        $7::timestamptz[], $8::json[]) AS u`,
    values: [
      rows.map(() => engine.ids.uuid()),
      rows.map(({ run }) => run.id),
      rows.map(({ alert_id }) => alert_id),
      rows.map(({ alert }) => alert.name),
      rows.map(({ alert }) => alert.reference.reference_type),
      rows.map(({ interval_seconds }) => interval_seconds),
      rows.map(({ deadline_time }) => at(deadline_time)),
      rows.map(({ alert }) => (alert.callback === null ? null : JSON.stringify(alert.callback))),
      at(now),
    ],
  });
}

/** Seconds that the latest ended runs took, where an alert asks for their mean. */
async function durationsOf(tx: Transaction, dagId: string, alerts: readonly DeadlineAlert[]): Promise<number[]> {
  const most = Math.max(
    0,
    ...alerts.map(({ reference }) => (reference.reference_type === "AverageRuntimeDeadline" ? reference.max_runs : 0)),
  );
  if (most === 0) return [];
  const rows = await tx.rows<{ seconds: number }>({
    name: "latest_durations",
    text: `SELECT extract(epoch FROM end_date - start_date)::double precision AS seconds FROM dag_run
      WHERE dag_id = $1 AND logical_date IS NOT NULL AND state IN ('success', 'failed')
        AND start_date IS NOT NULL AND end_date IS NOT NULL
      ORDER BY logical_date DESC LIMIT $2`,
    values: [dagId, most],
  });
  return rows.map(({ seconds }) => seconds);
}

async function variablesOf(tx: Transaction, alerts: readonly DeadlineAlert[]): Promise<ReadonlyMap<string, string>> {
  const names = alerts.flatMap(({ interval }) => (typeof interval === "number" ? [] : [interval.variable]));
  if (names.length === 0) return new Map();
  const rows = await tx.rows<{ key: string; val: string }>({
    name: "deadline_variables",
    text: "SELECT key, val FROM variable WHERE key = ANY($1::text[])",
    values: [names],
  });
  return new Map(rows.map(({ key, val }) => [key, val]));
}

/** A run that succeeded in time has no deadline any more. */
export function dropMetDeadlines(tx: Transaction, { dag }: DagPlan, { id, end_date }: EngineRun): void {
  if (dag.deadlines === undefined) return;
  tx.send({
    name: "drop_met_deadlines",
    text: "DELETE FROM deadline WHERE dag_run = $1 AND NOT missed AND deadline_time >= $2",
    values: [id, at(end_date)],
  });
}

/** A cleared run is queued anew, and so are the deadlines that count from there. */
export function moveQueuedDeadlines(tx: Transaction, { dag }: DagPlan, { id, queued_at }: EngineRun): void {
  if (dag.deadlines === undefined) return;
  tx.send({
    name: "move_queued_deadlines",
    text: `UPDATE deadline SET deadline_time = $2::timestamptz + make_interval(secs => interval_seconds), last_updated_at = $2
      WHERE dag_run = $1 AND NOT missed AND reference_type = 'DagRunQueuedAtDeadline'`,
    values: [id, at(queued_at)],
  });
}
