/** People who trigger, pause, clear, mark and edit while all the rest goes wrong. */
import type { SerializedDag } from "@updraft/dag-core";
import type { Announcement } from "@updraft/metadata-store";
import {
  type EngineStore,
  parsedFile,
  randomDag,
  type SeededRandom,
  type SeenRun,
  triggerRequest,
} from "@updraft/testkit/worlds";
import { request } from "./actors.ts";
import type { SimProcess } from "./process.ts";
import type { World } from "./world.ts";

export const DAG_IDS = ["d0", "d1", "d2"] as const;
const MOST_RUNS = 14;
/** They decide before everything above has ended, so that the order matters. */
const EARLY_RULES = ["one_done", "one_success", "one_failed"] as const;

/** A form whose runs time out after minutes, if at all: a run is to end by its own doing. */
export function newForm(random: SeededRandom, dagId: string): SerializedDag {
  const favouriteRule = random.chance(0.5) ? random.pick(EARLY_RULES) : undefined;
  const form = randomDag(random, dagId, {
    ...(favouriteRule === undefined ? {} : { favouriteRule }),
    pools: ["default_pool", "small"],
    mostTasks: 6,
    retryDelays: [0, 1, 5],
  });
  const isScheduled = random.chance(0.3);
  return isScheduled ? { ...form, timetable: { type: "delta", seconds: 11 }, catchup: random.chance(0.3) } : form;
}

/** True when it was answered. */
export function saveForm(world: World, people: SimProcess, form: SerializedDag): Promise<boolean> {
  return announced(world, people, (store) => store.saveParsedFile(parsedFile([form])));
}

/** Acts for ever; the world ends it when it heals. */
export async function act(world: World, people: SimProcess): Promise<void> {
  for (let turn = 0; ; turn += 1) {
    await people.wait(200 + world.random.next() * 2500);
    if (world.faults.isHealed) return;
    await (turn < 3 ? trigger : world.random.weighted(ACTS))(world, people);
  }
}

type Act = (world: World, people: SimProcess) => Promise<void>;

const ACTS: readonly (readonly [number, Act])[] = [
  [8, trigger],
  [2, clear],
  [1, mark],
  [1, patch],
  [2, pause],
  [1, edit],
];

async function trigger(world: World, people: SimProcess): Promise<void> {
  if (world.triggered >= MOST_RUNS) return;
  world.triggered += 1;
  const run_id = `r${world.triggered}`;
  const logical_date = world.random.chance(0.5) ? null : world.kernel.now - 100_000 + world.triggered;
  const wanted = triggerRequest(world.random.pick(DAG_IDS), { run_id, logical_date });
  await request(world, people, async ({ store, announcer }) => {
    const result = await store.triggerDagRun(wanted);
    if (result.kind === "created") announcer.announce(result.announcement);
  });
}

async function clear(world: World, people: SimProcess): Promise<void> {
  const run = someRun(world);
  if (run === undefined) return;
  const flip = (probability: number) => world.random.chance(probability);
  const task_ids = flip(0.3) ? null : world.random.some(run.form.tasks.map(({ task_id }) => task_id));
  world.touch(run);
  const wanted = {
    ...{ dag_id: run.dag_id, run_id: run.run_id, task_ids, start_date: null, end_date: null, note: null },
    ...{ dry_run: false, only_new: false, only_failed: flip(0.3), only_running: flip(0.1), reset_dag_runs: true },
    ...{ include_upstream: flip(0.2), include_downstream: flip(0.5), include_past: false, include_future: false },
    ...{ prevent_running_task: false, keep_task_state: false, run_on_latest_version: false },
  };
  await request(world, people, async ({ store, announcer }) => {
    const result = await store.clearTaskInstances(wanted);
    if (result.kind === "cleared") announcer.announce(result.announcement);
  });
}

async function mark(world: World, people: SimProcess): Promise<void> {
  const run = someRun(world);
  const task = world.random.pick(run?.form.tasks ?? []);
  if (run === undefined || task === undefined) return;
  world.touch(run);
  const state = world.random.pick(["success", "failed", "skipped"] as const);
  const wanted = {
    ...{ dag_id: run.dag_id, run_id: run.run_id, task_ids: [task.task_id], state, dry_run: false },
    ...{ include_upstream: false, include_downstream: false, include_past: false, include_future: false },
  };
  await announced(world, people, async (store) => {
    const result = await store.markTaskInstances(wanted);
    return result.kind === "marked" ? result.announcement : null;
  });
}

async function patch(world: World, people: SimProcess): Promise<void> {
  const run = someRun(world);
  if (run === undefined) return;
  world.touch(run);
  const state = world.random.pick(["success", "failed", "queued"] as const);
  await announced(world, people, (store) => store.patchDagRun(run.dag_id, run.run_id, { state }));
}

async function pause(world: World, people: SimProcess): Promise<void> {
  const [dagId, paused] = [world.random.pick(DAG_IDS), world.random.chance(0.5)];
  await announced(world, people, (store) => store.setDagPaused(dagId, paused));
}

async function edit(world: World, people: SimProcess): Promise<void> {
  world.faults.count("edited DAG");
  await saveForm(world, people, newForm(world.random, world.random.pick(DAG_IDS)));
}

/** Nothing new begins, and nothing is held back. Repeats each change until it is answered. */
export async function calmDown(world: World, people: SimProcess): Promise<void> {
  const untilAnswered = async (change: () => Promise<boolean>) => {
    while (!(await change())) await people.wait(500);
  };
  for (const form of [...world.forms.values()])
    await untilAnswered(() => saveForm(world, people, { ...form, timetable: { type: "null" } }));
  for (const dagId of DAG_IDS)
    await untilAnswered(() => announced(world, people, (store) => store.setDagPaused(dagId, false)));
}

/** True when it was answered. */
async function announced(
  world: World,
  people: SimProcess,
  change: (store: EngineStore) => Promise<Announcement | null>,
): Promise<boolean> {
  const answer = await request(world, people, async ({ store, announcer }) => {
    const announcement = await change(store);
    if (announcement !== null) announcer.announce(announcement);
    return true;
  });
  return answer === true;
}

function someRun(world: World): SeenRun | undefined {
  return world.random.pick(world.invariants.runs);
}
