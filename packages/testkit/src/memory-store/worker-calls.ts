/** What workers ask of the in-memory store. */
import { failFastEffect, finishTry, hasRetriesLeft, skipRequestEffect, type TryEnd } from "@updraft/dag-core";
import type { ClaimedTry, ClaimResult, FinishRequest, FinishResult, WorkerStore } from "@updraft/metadata-store";
import type { MemoryContext } from "./context.ts";
import { runRow } from "./present.ts";
import type { MemoryInstance } from "./tables.ts";
import { type MemoryMove, Transition } from "./transition.ts";

export type MemoryWorkerStore = Pick<WorkerStore, "claimTry" | "finishTry" | "heartbeat" | "skipDownstream">;

export function workerCalls({ tables, clock, databaseNow }: MemoryContext): MemoryWorkerStore {
  const transition = () => new Transition(tables, clock.now());
  return {
    async claimTry({ ti_id, try_number, hostname, pid }): Promise<ClaimResult> {
      const instance = tables.instances.get(ti_id);
      if (instance === undefined) return { kind: "rejected", reason: "not_found" };
      const isSame = instance.state === "running" && instance.hostname === hostname && instance.pid === pid;
      if (instance.try_number !== try_number || !(instance.state === "queued" || isSame))
        return { kind: "rejected", reason: "invalid_state", state: instance.state };
      if (instance.state === "queued") instance.start_date = clock.now();
      Object.assign(instance, { state: "running", hostname, pid, last_heartbeat_at: databaseNow() });
      instance.cause = `Running on ${hostname}`;
      const claimed = claimedTry(instance);
      return { kind: "claimed", try: claimed, announcement: transition().announcement() };
    },

    async finishTry(request): Promise<FinishResult> {
      const instance = tables.instances.get(request.ti_id);
      if (instance === undefined) return { kind: "rejected", reason: "not_found", state: null };
      const turn = transition();
      const before = instance.state;
      const decision = decide(instance, request, turn.now);
      if (decision.kind === "rejected") return { kind: "rejected", reason: "invalid_state", state: before };
      if (decision.kind === "repeated") return { kind: "repeated", state: before };
      if (decision.state === "success" && request.outcome.kind === "success")
        for (const { key, value } of request.outcome.xcoms) instance.xcoms.set(key, value);
      endTries(turn, [{ instance, decision }]);
      return { kind: "finished", state: decision.state, announcement: turn.settle() };
    },

    async heartbeat({ ti_id, try_number, hostname, pid }) {
      const instance = tables.instances.get(ti_id);
      if (instance === undefined) return "not_found";
      const same = instance.try_number === try_number && instance.hostname === hostname && instance.pid === pid;
      if (instance.state !== "running" || !same) return "not_running";
      instance.last_heartbeat_at = databaseNow();
      return "alive";
    },

    async skipDownstream({ ti_id, try_number, task_ids }) {
      const turn = transition();
      const instance = tables.instances.get(ti_id);
      if (instance?.state !== "running" || instance.try_number !== try_number) return turn.announcement();
      turn.touch(instance.run);
      turn.move(
        instance.run.instances.flatMap((one): MemoryMove[] => {
          const state = task_ids.includes(one.task.task_id) ? skipRequestEffect(one.state) : null;
          const patch = { start_date: turn.now, end_date: turn.now };
          return state === null ? [] : [{ instance: one, state, cause: "A decider chose another way", patch }];
        }),
      );
      return turn.settle();
    },
  };
}

/** Ends tries that nobody reports. */
export function loseTries(turn: Transition, instances: readonly MemoryInstance[], detail: string): void {
  endTries(
    turn,
    instances.flatMap((instance) => {
      const { try_number } = instance;
      const decision = decide(instance, { try_number, outcome: { kind: "lost", detail } }, turn.now);
      return decision.kind === "moved" ? [{ instance, decision }] : [];
    }),
  );
}

type Decision = ReturnType<typeof finishTry>;
interface Ending {
  readonly instance: MemoryInstance;
  readonly decision: Extract<Decision, { kind: "moved" }>;
}

function decide(
  instance: MemoryInstance,
  { try_number, outcome }: Pick<FinishRequest, "try_number"> & { readonly outcome: TryEnd | FinishRequest["outcome"] },
  now: number,
): Decision {
  if (try_number > instance.try_number) return { kind: "rejected", reason: "never started" };
  const { state, max_tries, run, task } = instance;
  const { logical_date } = run;
  const facts = { state, try_number: instance.try_number, max_tries, dag_id: run.dag.dag_id, logical_date };
  return finishTry({ ...facts, end_date: now }, outcome, task, try_number, now);
}

function endTries(turn: Transition, endings: readonly Ending[]): void {
  turn.move(
    endings.map(({ instance, decision: { state, cause, next_retry_at } }) => ({
      instance,
      state,
      cause,
      patch: { next_retry_at, end_date: turn.now },
    })),
  );
  for (const { instance, decision } of endings) {
    if (decision.state !== "failed" || !instance.run.version.form.fail_fast) continue;
    turn.move(
      instance.run.instances.flatMap((one): MemoryMove[] => {
        const state = failFastEffect(one.state);
        const patch = { end_date: turn.now };
        return state === null ? [] : [{ instance: one, state, cause: "fail_fast", patch }];
      }),
    );
  }
}

function claimedTry(instance: MemoryInstance): ClaimedTry {
  const { run, task } = instance;
  const { task_id, operator_name, execution_timeout, do_xcom_push, isolation, arg_bindings } = task;
  const { id: ti_id, map_index, try_number, max_tries } = instance;
  const sources = arg_bindings.flatMap((binding) => (binding.kind === "xcom" ? [binding.task_id] : []));
  const pushed = run.instances.filter((one) => sources.includes(one.task.task_id) && one.xcoms.has("return_value"));
  return {
    ...{ ti_id, dag_id: run.dag.dag_id, run_id: run.run_id, task_id, map_index, try_number, max_tries },
    should_retry: hasRetriesLeft(instance, task),
    artefact_hash: run.version.artefactHash,
    ...{ operator_name, execution_timeout, do_xcom_push, isolation },
    arg_bindings: arg_bindings.filter((binding) => binding.kind !== "group"),
    ...{ next_method: null, next_kwargs: null, task_reschedule_count: 0, first_task_reschedule_start_date: null },
    start_date: instance.start_date,
    xcom_lists: {},
    xcom_inputs: Object.fromEntries(pushed.map((one) => [one.task.task_id, one.xcoms.get("return_value") ?? null])),
    dag_run: runRow(run),
  };
}
