/** What people change, in the in-memory store. */
import {
  canonicalJson,
  clearRunEffect,
  clearScope,
  clearSelects,
  clearTaskEffect,
  closure,
  generateRunId,
  inferManualDataInterval,
  isFinished,
  markedDownstreamIsCleared,
  markRunEffect,
  namedScope,
  type SerializedDag,
  type TaskScope,
} from "@updraft/dag-core";
import type {
  ClearRequest,
  ClearResult,
  ControlStore,
  DagFileStore,
  MarkTaskRequest,
  QueuedTry,
  TriggerRequest,
} from "@updraft/metadata-store";
import type { MemoryContext } from "./context.ts";
import { createRun } from "./create-run.ts";
import { instanceRow, runRow } from "./present.ts";
import { type MemoryDag, type MemoryInstance, type MemoryRun, newest, type Tables, versionOf } from "./tables.ts";
import { keepTry, type MemoryMove, Transition } from "./transition.ts";

export type MemoryControlStore = Pick<
  ControlStore,
  "triggerDagRun" | "setDagPaused" | "patchDagRun" | "markTaskInstances" | "clearTaskInstances" | "reportJob"
> &
  Pick<DagFileStore, "saveParsedFile">;

export function controlCalls(context: MemoryContext): MemoryControlStore {
  const { tables, clock, databaseNow } = context;
  const transition = () => new Transition(tables, clock.now());
  return {
    async triggerDagRun(request) {
      const dag = tables.dags.get(request.dag_id);
      if (dag === undefined || dag.is_stale)
        return { kind: "rejected", reason: "dag_not_found", message: `Dag with dag_id: '${request.dag_id}' not found` };
      const turn = transition();
      const run = createRun(context, turn, dag, newRun(context, request, newest(dag).form));
      if (run === null) return { kind: "rejected", reason: "already_exists", message: "the run exists already" };
      const announcement = turn.settle();
      return { kind: "created", dag_run: runRow(run), announcement };
    },

    async setDagPaused(dagId, paused) {
      const dag = tables.dags.get(dagId);
      if (dag === undefined) return null;
      const turn = transition();
      if (dag.is_paused && !paused) {
        dag.skip_cause = "The DAG was paused";
        dag.evaluate_at = turn.now;
      }
      dag.is_paused = paused;
      turn.wakeScheduler();
      return turn.announcement();
    },

    async patchDagRun(dagId, runId, { state, note }) {
      const run = tables.runNamed(dagId, runId);
      if (run === undefined) return null;
      if (note !== undefined) run.note = note;
      const turn = transition();
      turn.touch(run);
      if (state === "queued") {
        clear(turn, run.instances);
        resetRun(turn, run);
        turn.decideAll();
      } else if (state !== undefined) {
        const waits = run.instances.some(({ task, state: own }) => task.is_teardown && !isFinished(own));
        if (!waits) turn.setRunState(run, state);
        turn.move(
          run.instances.flatMap((instance): MemoryMove[] => {
            const to = instance.task.is_teardown ? null : markRunEffect(instance.state, state);
            const patch = { end_date: turn.now };
            return to === null ? [] : [{ instance, state: to, cause: `The run was marked as ${state}`, patch }];
          }),
        );
      }
      return turn.settle();
    },

    async markTaskInstances(request) {
      const dag = tables.dags.get(request.dag_id);
      if (dag === undefined) return { kind: "not_found", what: "dag", id: request.dag_id };
      const runs = runsInRange(tables, dag, { ...request, start_date: null, end_date: null });
      if ("kind" in runs) return runs;
      const { state } = request;
      const queued: QueuedTry[] = [];
      const marked: MemoryInstance[] = [];
      for (const run of runs) {
        const open = within(run, namedScope(run.version.form, request)).filter((one) => one.state !== state);
        marked.push(...open);
        if (!request.dry_run) queued.push(...mark(transition(), run, open, request));
      }
      const announcement = { ...transition().announcement(), queued };
      return { kind: "marked", task_instances: marked.map(instanceRow), announcement };
    },

    async clearTaskInstances(request) {
      const dag = tables.dags.get(request.dag_id);
      if (dag === undefined) return { kind: "not_found", what: "dag", id: request.dag_id };
      const runs = runsInRange(tables, dag, request);
      if ("kind" in runs) return runs;
      const selected = runs.flatMap((run) => selectToClear(run, request));
      const busy = selected.find(({ state }) => request.prevent_running_task && isUnderWay(state));
      if (busy !== undefined) return { kind: "task_running", task_id: busy.task.task_id, run_id: busy.run.run_id };
      const queued: QueuedTry[] = [];
      if (!request.dry_run) {
        for (const run of new Set(selected.map((one) => one.run))) {
          const turn = transition();
          turn.touch(run);
          clear(
            turn,
            selected.filter((one) => one.run === run),
          );
          if (request.reset_dag_runs) resetRun(turn, run);
          turn.decideAll();
          queued.push(...turn.settle().queued);
        }
      }
      const announcement = { ...transition().announcement(), queued };
      return { kind: "cleared", task_instances: selected.map(instanceRow), new_tasks: [], announcement };
    },

    async reportJob(report) {
      tables.jobs.set(report.name, { ...report, latest_heartbeat: databaseNow() });
    },

    async saveParsedFile({ dags, artefact_hash }) {
      const turn = transition();
      for (const form of dags) saveDag(tables, form, artefact_hash, turn.now);
      turn.wakeScheduler();
      return turn.announcement();
    },
  };
}

function newRun({ ids, clock }: MemoryContext, request: TriggerRequest, { timetable }: SerializedDag) {
  const { logical_date, run_type, triggered_by, triggering_user_name, conf, note } = request;
  const run_after = request.run_after ?? clock.now();
  const interval = logical_date === null ? null : inferManualDataInterval(timetable, logical_date);
  const suffix = logical_date === null ? ids.uuid().slice(-8) : null;
  return {
    ...{ logical_date, run_after, run_type, triggered_by, triggering_user_name, conf, note },
    run_id: request.run_id ?? generateRunId(run_type, logical_date ?? run_after, suffix),
    data_interval_start: logical_date === null ? null : (request.data_interval_start ?? interval?.start ?? null),
    data_interval_end: logical_date === null ? null : (request.data_interval_end ?? interval?.end ?? null),
  };
}

/** Takes back the states of instances. */
function clear(turn: Transition, instances: readonly MemoryInstance[]): void {
  for (const one of instances) {
    if (one.state !== null && !isUnderWay(one.state)) keepTry(one);
  }
  turn.move(
    instances.map((instance): MemoryMove => {
      const { state, max_tries } = clearTaskEffect(instance, instance.task.retries);
      const dates = state === null ? { start_date: null, end_date: null } : {};
      return { instance, state, cause: "Cleared", patch: { max_tries, ...dates } };
    }),
  );
}

function resetRun(turn: Transition, run: MemoryRun): void {
  const effect = clearRunEffect(run.state, turn.now);
  turn.setRunState(run, effect.state);
  Object.assign(run, { ...effect.dates, clear_number: run.clear_number + effect.clear_number_increment });
}

/** Sets the state, and lets what failed below run after all. */
function mark(
  turn: Transition,
  run: MemoryRun,
  open: readonly MemoryInstance[],
  request: MarkTaskRequest,
): QueuedTry[] {
  const { state, task_ids } = request;
  turn.touch(run);
  turn.move(
    open.map((instance): MemoryMove => {
      const patch = { start_date: instance.start_date ?? turn.now, end_date: turn.now };
      return { instance, state, cause: `Marked as ${state} by a user`, patch };
    }),
  );
  const named = namedScope(run.version.form, { task_ids, include_upstream: false, include_downstream: false });
  const below = closure(run.version.form, named.keys(), "downstream");
  const failed = run.instances.filter(
    (one) => below.has(one.task.task_id) && !open.includes(one) && markedDownstreamIsCleared(one.state),
  );
  if (failed.length > 0) {
    clear(turn, failed);
    resetRun(turn, run);
    turn.decideAll();
  }
  return [...turn.settle().queued];
}

/** The named run, with those before and after it by logical date where asked for; or all runs of a range. */
function runsInRange(
  { runs }: Tables,
  dag: MemoryDag,
  request: Pick<ClearRequest, "run_id" | "include_past" | "include_future" | "start_date" | "end_date">,
): MemoryRun[] | Extract<ClearResult, { kind: "not_found" | "bad_request" }> {
  const { run_id, include_past, include_future, start_date, end_date } = request;
  const own = runs.filter((run) => run.dag === dag);
  if (run_id === null) {
    const dateOf = (run: MemoryRun) => run.logical_date ?? run.run_after;
    return own.filter((run) => dateOf(run) >= (start_date ?? -Infinity) && dateOf(run) <= (end_date ?? Infinity));
  }
  const named = own.find((run) => run.run_id === run_id);
  if (named === undefined) return { kind: "not_found", what: "dag_run", id: run_id };
  const { logical_date } = named;
  if (!include_past && !include_future) return [named];
  if (logical_date === null) return { kind: "bad_request", message: `Run ${run_id} has no logical date` };
  return own.filter(
    (run) =>
      run === named ||
      (run.logical_date !== null && include_past && run.logical_date < logical_date) ||
      (run.logical_date !== null && include_future && run.logical_date > logical_date),
  );
}

function selectToClear(run: MemoryRun, request: ClearRequest): MemoryInstance[] {
  if (request.run_on_latest_version === true || request.only_new)
    throw new Error("the in-memory store moves no run between versions");
  return within(run, clearScope(run.version.form, request)).filter(({ state }) => clearSelects(state, request));
}

function within(run: MemoryRun, scope: TaskScope): MemoryInstance[] {
  return run.instances.filter(({ task, map_index }) => {
    const indexes = scope.get(task.task_id);
    return indexes === null || indexes?.has(map_index) === true;
  });
}

function isUnderWay(state: MemoryInstance["state"]): boolean {
  return state === "running" || state === "restarting";
}

/** A new version exists only where the form or the artefact changed; one without runs is replaced. */
function saveDag(tables: Tables, form: SerializedDag, artefactHash: string, now: number): void {
  const known = tables.dags.get(form.dag_id);
  if (known === undefined) {
    const schedule = {
      evaluate_at: now,
      is_gated: false,
      skip_cause: null,
      next: null,
      last_tick_start: null,
      last_tick_end: null,
    };
    const is_paused = form.is_paused_upon_creation ?? true;
    const versions = [versionOf(1, form, artefactHash)];
    tables.dags.set(form.dag_id, { dag_id: form.dag_id, is_paused, is_stale: false, versions, ...schedule });
    return;
  }
  const current = newest(known);
  if (scheduleOf(current.form) !== scheduleOf(form)) {
    known.evaluate_at = now;
    known.next = null;
    if (known.last_tick_end !== null) known.skip_cause = "The DAG was not there, or had another schedule";
  }
  if (canonicalJson(current.form) === canonicalJson(form) && current.artefactHash === artefactHash) return;
  const replaces = !tables.runs.some(({ version }) => version === current);
  if (replaces) known.versions.pop();
  known.versions.push(versionOf(replaces ? current.number : current.number + 1, form, artefactHash));
}

function scheduleOf({ timetable, start_date, end_date, catchup, tasks }: SerializedDag): string {
  return canonicalJson({ timetable, start_date, end_date, catchup, starts: tasks.map((task) => task.start_date) });
}
