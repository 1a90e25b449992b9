/** Plays the worker in tests of the store: keeps the offers it hears, claims and finishes tries. */

import { type EngineStore, type FakeClock, type StoreDump, triggerRequest } from "@updraft/testkit";
import { expect } from "vitest";
import type {
  Announcement,
  ClaimedTry,
  ClearRequest,
  FinishRequest,
  MarkTaskRequest,
  MarkTaskResult,
  QueuedTry,
  SchedulingStep,
  TryOutcome,
} from "../src/index.ts";

interface World {
  readonly store: EngineStore;
  readonly clock: FakeClock;
  dump(): Promise<StoreDump>;
}

/** A mapped instance is called `task[index]`. */
function nameOf({ task_id, map_index }: Pick<QueuedTry, "task_id" | "map_index">): string {
  return map_index < 0 ? task_id : `${task_id}[${map_index}]`;
}

/** The same for the last parts of a row's name, `task/-1` or `task/index`. */
function nameOfRow(name: string): string {
  const slash = name.lastIndexOf("/");
  return nameOf({ task_id: name.slice(0, slash), map_index: Number(name.slice(slash + 1)) });
}

export class Player {
  readonly #world: World;
  #offers: QueuedTry[] = [];

  constructor(world: World) {
    this.#world = world;
  }

  hear(announcement: Announcement | null): void {
    this.#offers.push(...(announcement?.queued ?? []));
  }

  /** Task ids that a step of the scheduler queued. */
  hears({ announcement }: SchedulingStep): string[] {
    this.hear(announcement);
    return announcement.queued.map(nameOf);
  }

  offers(): readonly QueuedTry[] {
    return this.#offers;
  }

  queued(): string[] {
    return this.#offers.map(nameOf).sort();
  }

  async trigger(dagId: string): Promise<string> {
    const result = await this.#world.store.triggerDagRun(triggerRequest(dagId));
    if (result.kind === "rejected") throw new Error(result.message);
    this.hear(result.announcement);
    return result.dag_run.run_id;
  }

  claimRequest(tiId: string, tryNumber: number) {
    return { ti_id: tiId, try_number: tryNumber, hostname: "host", unixname: "me", pid: 1 };
  }

  async claim(taskId: string): Promise<ClaimedTry> {
    const index = this.#offers.findIndex((offer) => nameOf(offer) === taskId);
    const [offer] = index < 0 ? [] : this.#offers.splice(index, 1);
    if (offer === undefined) throw new Error(`${taskId} is not queued; queued are ${this.queued().join(", ")}`);
    const result = await this.#world.store.claimTry(this.claimRequest(offer.ti_id, offer.try_number));
    if (result.kind !== "claimed") throw new Error(`the claim of ${taskId} was refused: ${JSON.stringify(result)}`);
    return result.try;
  }

  finishRequest(claim: ClaimedTry, outcome: TryOutcome): FinishRequest {
    return { ti_id: claim.ti_id, try_number: claim.try_number, outcome, end_date: this.#world.clock.now() };
  }

  async finish(claim: ClaimedTry, outcome: TryOutcome): Promise<void> {
    const result = await this.#world.store.finishTry(this.finishRequest(claim, outcome));
    if (result.kind !== "finished") throw new Error(`the end was refused: ${JSON.stringify(result)}`);
    this.hear(result.announcement);
  }

  async run(taskId: string, outcome: TryOutcome = { kind: "success", xcoms: [] }): Promise<void> {
    await this.finish(await this.claim(taskId), outcome);
  }

  async finishTogether(taskIds: readonly string[]): Promise<void> {
    const claims = await Promise.all(taskIds.map((id) => this.claim(id)));
    await Promise.all(claims.map((claim) => this.finish(claim, { kind: "success", xcoms: [] })));
  }

  failure(): TryOutcome {
    return { kind: "failed", retry: true, reason: "it broke", retry_delay_seconds: null };
  }

  async clear(
    runId: string | null,
    taskIds: ClearRequest["task_ids"],
    overrides: Partial<ClearRequest> = {},
  ): Promise<string[]> {
    const result = await this.tryClear(runId, taskIds, overrides);
    if (result.kind !== "cleared") throw new Error(`nothing was cleared: ${JSON.stringify(result)}`);
    this.hear(result.announcement);
    return result.task_instances.map(({ task_id }) => task_id);
  }

  tryClear(runId: string | null, taskIds: ClearRequest["task_ids"], overrides: Partial<ClearRequest> = {}) {
    return this.#world.store.clearTaskInstances({
      dag_id: "d",
      run_id: runId,
      task_ids: taskIds,
      start_date: null,
      end_date: null,
      only_failed: false,
      only_running: false,
      include_upstream: false,
      include_downstream: false,
      include_past: false,
      include_future: false,
      reset_dag_runs: true,
      prevent_running_task: false,
      keep_task_state: false,
      run_on_latest_version: null,
      only_new: false,
      note: null,
      dry_run: false,
      ...overrides,
    });
  }

  async mark(runId: string, overrides: Partial<MarkTaskRequest>): Promise<MarkTaskResult> {
    const result = await this.#world.store.markTaskInstances({
      dag_id: "d",
      run_id: runId,
      task_ids: [],
      state: "success",
      include_upstream: false,
      include_downstream: false,
      include_past: false,
      include_future: false,
      dry_run: false,
      ...overrides,
    });
    if (result.kind === "marked") this.hear(result.announcement);
    return result;
  }

  async states(runId: string): Promise<Record<string, string | null>> {
    const prefix = `d/${runId}/`;
    const { instances } = await this.#world.dump();
    const found = instances.filter(({ name }) => name.startsWith(prefix));
    return Object.fromEntries(found.map(({ name, state }) => [nameOfRow(name.slice(prefix.length)), state]));
  }

  async runState(runId: string): Promise<string | undefined> {
    return (await this.#world.dump()).runs.find(({ name }) => name === `d/${runId}`)?.state;
  }

  async reportWorker(running: number): Promise<void> {
    await this.#world.store.reportJob({
      name: "worker",
      job_type: "WorkerJob",
      state: "running",
      hostname: "host",
      unixname: "me",
      queues: ["default"],
      concurrency: 4,
      running,
    });
  }

  async occupancy(): Promise<StoreDump["occupancy"]> {
    return (await this.#world.dump()).occupancy;
  }

  async expectNoSlotsInUse(): Promise<void> {
    expect(await this.occupancy()).toEqual({});
    expect((await this.#world.store.audit()).corrected).toEqual([]);
  }

  async expectSlotsInUse(count: number): Promise<void> {
    expect((await this.occupancy()).parallelism).toBe(count);
    expect((await this.#world.store.audit()).corrected).toEqual([]);
  }
}
