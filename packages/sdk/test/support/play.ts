/** A small world for tests: metadata in memory, and a runner that takes tasks in topological order. */
import {
  type JsonValue,
  type SerializedDag,
  type SerializedTask,
  sliceIndexes,
  topologicalOrder,
} from "@updraft/dag-core";
import { Bundle } from "../../src/bundle.ts";
import type { AnyDag } from "../../src/dag.ts";
import {
  type GivenInputs,
  type HitlQuestion,
  type LogRecord,
  type RawAssetEvent,
  type RawClient,
  type RawConnection,
  type RunContext,
  runHandler,
  serializeBundle,
  type TaskOutcome,
  type TriggerRequest,
  type XComListLocator,
  type XComLocator,
} from "../../src/host.ts";

export class World {
  readonly variables = new Map<string, string>();
  readonly connections = new Map<string, Partial<RawConnection>>();
  readonly xcoms = new Map<string, JsonValue>();
  state = new Map<string, JsonValue>();
  readonly assetState = new Map<string, JsonValue>();
  assetEvents: RawAssetEvent[] = [];
  consumedAssetEvents: NonNullable<RunContext["consumed_asset_events"]> = [];
  readonly skipped = new Set<string>();
  readonly triggered: TriggerRequest[] = [];
  readonly asked: HitlQuestion[] = [];
  readonly calls: string[] = [];
  readonly log: LogRecord[] = [];
  readonly secrets: string[] = [];
  runStates: string[] = ["success"];
  runExists = false;
  paused = false;

  client(): RawClient {
    return {
      getVariable: async (key) => this.variables.get(key) ?? null,
      setVariable: async (key, value) => void this.variables.set(key, value),
      deleteVariable: async (key) => void this.variables.delete(key),
      getXCom: async (locator) => {
        const value = this.xcoms.get(nameOf(locator));
        return { found: value !== undefined, value: value ?? null };
      },
      getXComs: async (locator) => this.#pushed(locator),
      sliceXComs: async (locator, slice) => {
        this.calls.push(`sliceXComs ${slice.start} ${slice.stop}`);
        const values = this.#pushed(locator);
        return sliceIndexes(values.length, slice).flatMap((index) => [values[index] ?? null]);
      },
      countXComs: async (locator) => this.#pushed(locator).length,
      setXCom: async (locator, value) => {
        this.calls.push(`setXCom ${locator.key}`);
        this.xcoms.set(nameOf(locator), value);
      },
      getConnection: async (id) => this.#connection(id),
      getTaskState: async (key) => this.state.get(key) ?? null,
      setTaskState: async (key, value) => void this.state.set(key, value),
      deleteTaskState: async (key) => void this.state.delete(key),
      clearTaskState: async () => this.state.clear(),
      getAssetEvents: async (of, range) => {
        this.calls.push(`getAssetEvents ${JSON.stringify({ ...of, ...range })}`);
        return this.assetEvents;
      },
      getAssetState: async (asset, key) => this.assetState.get(JSON.stringify([asset, key])) ?? null,
      setAssetState: async (asset, key, value) => void this.assetState.set(JSON.stringify([asset, key]), value),
      deleteAssetState: async (asset, key) => void this.assetState.delete(JSON.stringify([asset, key])),
      clearAssetState: async () => this.assetState.clear(),
      skipDownstream: async (taskIds) => {
        this.calls.push(`skipDownstream ${taskIds.join(",")}`);
        for (const id of taskIds) this.skipped.add(id);
      },
      askPeople: async (question) => void this.asked.push(question),
      triggerDagRun: async (request) => {
        this.triggered.push(request);
        return this.runExists ? "already_exists" : "created";
      },
      getDagRunState: async () => (this.runStates.length > 1 ? this.runStates.shift() : this.runStates[0]) ?? "success",
      getDag: async () => ({ is_paused: this.paused }),
      maskSecret: (value) => void this.secrets.push(value),
    };
  }

  /** What all instances of a task pushed under a key. */
  #pushed(locator: XComListLocator): JsonValue[] {
    const name = nameOf({ ...locator, mapIndex: -1 });
    return [...this.xcoms].flatMap(([one, value]) => (one === name || one.startsWith(`${name}[`) ? [value] : []));
  }

  #connection(id: string): RawConnection | null {
    const known = this.connections.get(id);
    const blank = { host: null, schema: null, login: null, password: null, port: null, extra: null };
    return known === undefined ? null : { conn_id: id, conn_type: "generic", ...blank, ...known };
  }
}

/** By run, task and key; of an instance of a mapped task also by its index. */
function nameOf({ dagId, runId, taskId, key, mapIndex }: XComLocator): string {
  return `${dagId}/${runId}/${taskId}/${key}${mapIndex < 0 ? "" : `[${mapIndex}]`}`;
}

export function serialize(dag: AnyDag): SerializedDag {
  const { dags, errors } = serializeBundle(new Bundle(dag), SERIALIZE_OPTIONS);
  const [first] = dags;
  if (first === undefined) throw new Error(errors[0]?.stack_trace ?? "no Dag and no error");
  return first;
}

const SERIALIZE_OPTIONS = {
  relativeFileloc: "file.ts",
  defaults: { maxActiveRuns: 16, maxActiveTasks: 16, catchup: false },
};

export function edgesOf(dag: SerializedDag): string[] {
  return dag.tasks.flatMap((task) => task.downstream_task_ids.map((down) => `${task.task_id} > ${down}`)).toSorted();
}

export function taskOf(dag: SerializedDag, taskId: string): SerializedTask {
  const task = dag.tasks.find((candidate) => candidate.task_id === taskId);
  if (task === undefined) throw new Error(`no task ${taskId}`);
  return task;
}

/** Runs one try with literal inputs only. */
export async function runTask(
  dag: AnyDag,
  taskId: string,
  prepare: (world: World) => void = () => {},
  signal = new AbortController().signal,
): Promise<TaskOutcome> {
  const world = new World();
  prepare(world);
  return runInWorld(dag, taskId, { world, inputs: { bindings: [], xcoms: {} }, signal });
}

/** Runs one try with facts of its own. */
export async function runTry(
  dag: AnyDag,
  taskId: string,
  given: {
    readonly context?: Partial<RunContext>;
    readonly args?: Record<string, JsonValue>;
    readonly prepare?: (world: World) => void;
  } = {},
): Promise<TaskOutcome> {
  const world = new World();
  given.prepare?.(world);
  return runInWorld(dag, taskId, { world, inputs: literals(given.args ?? {}), context: given.context ?? {} });
}

async function runInWorld(
  dag: AnyDag,
  taskId: string,
  run: {
    readonly world: World;
    readonly inputs: GivenInputs;
    readonly signal?: AbortSignal;
    readonly context?: Partial<RunContext>;
  },
): Promise<TaskOutcome> {
  return runHandler({
    bundle: new Bundle(dag),
    dagId: dag.dagId,
    taskId,
    context: {
      ...contextOf(dag.dagId, taskId),
      consumed_asset_events: run.world.consumedAssetEvents,
      ...run.context,
    },
    inputs: run.inputs,
    client: run.world.client(),
    log: (record) => run.world.log.push(record),
    signal: run.signal ?? new AbortController().signal,
  });
}

/** Runs every task that nobody skipped, by the order of the graph. */
export async function runDag(
  dag: AnyDag,
  prepare: (world: World) => void = () => {},
): Promise<{
  readonly world: World;
  readonly outcomes: Record<string, TaskOutcome>;
  readonly xcoms: Record<string, JsonValue>;
  readonly skipped: string[];
}> {
  const world = new World();
  prepare(world);
  const serialized = serialize(dag);
  const outcomes: Record<string, TaskOutcome> = {};
  const xcoms: Record<string, JsonValue> = {};
  for (const taskId of topologicalOrder(serialized)) {
    if (world.skipped.has(taskId)) continue;
    const bindings = taskOf(serialized, taskId).arg_bindings.filter((binding) => binding.kind !== "group");
    const outcome = await runInWorld(dag, taskId, { world, inputs: { bindings, xcoms: { ...xcoms } } });
    outcomes[taskId] = outcome;
    if (outcome.kind !== "success" || outcome.returnValue === undefined) continue;
    xcoms[taskId] = outcome.returnValue;
    world.xcoms.set(`${dag.dagId}/run/${taskId}/return_value`, outcome.returnValue);
  }
  return { world, outcomes, xcoms, skipped: [...world.skipped] };
}

export function contextOf(dagId: string, taskId: string): RunContext {
  const instant = "2026-01-02T03:04:05.000Z";
  return {
    dag_id: dagId,
    task_id: taskId,
    run_id: "run",
    try_number: 1,
    map_index: -1,
    logical_date: instant,
    data_interval_start: instant,
    data_interval_end: instant,
    run_after: instant,
    conf: { reason: "test" },
    run_type: "manual",
    max_tries: 3,
  };
}

function literals(args: Record<string, JsonValue>): GivenInputs {
  return { bindings: Object.entries(args).map(([name, value]) => ({ name, kind: "literal", value })), xcoms: {} };
}
