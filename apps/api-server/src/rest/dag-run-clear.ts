/** Clearing runs: one by its address, or many by their ids. */
import { ApiError, bulkDagRunClearBody, type DagRunClearBody, dagRunClearBody, NO_CURSORS } from "@updraft/contract";
import type { ClearResult, DagRunRow } from "@updraft/metadata-store";
import type { Response } from "express";
import { usernameOf } from "../auth/authenticate.ts";
import type { ApiContext } from "../context.ts";
import { pathPart, type RouteTable } from "../http/routes.ts";
import { parseBody } from "../http/validate.ts";
import { clearErrorOf, clearRequestOf } from "./clear-request.ts";
import { dagRunOf } from "./dag-runs.ts";
import { dagOf } from "./dags.ts";
import { dagRunResponseOf, taskInstanceResponseOf } from "./present-runs.ts";
import type { VersionLookup } from "./version-lookup.ts";

type Cleared = Extract<ClearResult, { kind: "cleared" }>;

export function dagRunClearRoutes({ store, announcer }: ApiContext, versions: VersionLookup): RouteTable {
  async function clear(run: Pick<DagRunRow, "dag_id" | "run_id">, body: DagRunClearBody, response: Response) {
    const { dag_id, run_id } = run;
    const { only_failed, only_new, dry_run, note, run_on_latest_version } = body;
    const result = await store.clearTaskInstances(
      clearRequestOf(dag_id, {
        ...{ run_id, only_failed, only_new, dry_run },
        note: note ?? null,
        run_on_latest_version: run_on_latest_version ?? null,
      }),
    );
    if (result.kind !== "cleared") throw clearErrorOf(result, dag_id);
    if (dry_run) return result;
    announcer.announce(result.announcement);
    const extra = JSON.stringify(body);
    await store.logEvent({ event: "clear_dag_run", dag_id, run_id, task_id: null, owner: usernameOf(response), extra });
    return result;
  }

  async function shown(runs: readonly DagRunRow[]) {
    const versionOf = await versions.of(runs);
    return runs.map((run) => dagRunResponseOf(run, versionOf));
  }

  async function previewOf(results: readonly Cleared[]) {
    const rows = results.flatMap(({ task_instances }) => task_instances);
    const versionOf = await versions.of(rows);
    const task_instances = [
      ...rows.map((row) => taskInstanceResponseOf(row, versionOf)),
      ...results.flatMap(({ new_tasks }) => new_tasks).map((id) => ({ task_id: id, task_display_name: id })),
    ];
    return { task_instances, total_entries: task_instances.length };
  }

  return {
    "/dags/:dag_id/dagRuns/:dag_run_id/clear": {
      async post(request, response) {
        const body = parseBody(dagRunClearBody, request);
        const result = await clear(await dagRunOf(store, request), body, response);
        return body.dry_run ? previewOf([result]) : (await shown([await dagRunOf(store, request)]))[0];
      },
    },
    "/dags/:dag_id/clearDagRuns": {
      async post(request, response) {
        const { dag_runs, ...body } = parseBody(bulkDagRunClearBody, request);
        const dag_id = pathPart(request, "dag_id");
        await dagOf(store, request);
        const runs = await Promise.all(dag_runs.map(({ dag_run_id }) => runOf(dag_id, dag_run_id)));
        const results: Cleared[] = [];
        for (const run of runs) results.push(await clear(run, body, response));
        if (body.dry_run) return previewOf(results);
        const now = await Promise.all(runs.map(({ run_id }) => runOf(dag_id, run_id)));
        return { dag_runs: await shown(now), total_entries: now.length, ...NO_CURSORS };
      },
    },
  };

  async function runOf(dag_id: string, run_id: string): Promise<DagRunRow> {
    const run = await store.getDagRun(dag_id, run_id);
    if (run === null) throw new ApiError("dag_run_not_found", { dag_id, dag_run_id: run_id });
    return run;
  }
}
