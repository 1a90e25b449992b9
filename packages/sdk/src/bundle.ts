/** `Bundle`: the Dags (and handlers) that one file hands over. */
import { brand, brandOf, foreignCopy } from "./brand.ts";
import { type AnyDag, isDag, modelOf } from "./dag.ts";
import { describeValue } from "./json.ts";
import { handOver } from "./serve-port.ts";
import type { TaskFunction } from "./task-types.ts";

/** A handler for a task of a Dag that is declared elsewhere. */
// biome-ignore lint/suspicious/noExplicitAny: the inputs of a handler are the author's to name, as in Airflow's SDK.
export class TaskHandler<A = any, R = unknown> {
  readonly dagId: string;
  readonly taskId: string;
  readonly handler: TaskFunction<A, R>;

  constructor(dagId: string, taskId: string, handler: TaskFunction<A, R>) {
    for (const id of [dagId, taskId]) {
      if (typeof id !== "string" || id === "")
        throw new Error(`A TaskHandler needs the ids of a Dag and a task, not ${describeValue(id)}`);
    }
    if (typeof handler !== "function")
      throw new Error(`The handler of task "${taskId}" must be a function, not ${describeValue(handler)}`);
    this.dagId = dagId;
    this.taskId = taskId;
    this.handler = handler;
    brand(this, "TaskHandler");
  }
}

export type Registerable = AnyDag | TaskHandler<never, unknown>;

interface Contents {
  readonly dags: ReadonlyMap<string, AnyDag>;
  readonly handlers: ReadonlyMap<string, TaskHandler<never, unknown>>;
}

export class Bundle {
  #contents: Contents = { dags: new Map(), handlers: new Map() };

  constructor(...items: readonly Registerable[]) {
    brand(this, "Bundle");
    this.register(...items);
  }

  /** Adds all of `items`, or none of them where one can't be added. */
  register(...items: readonly Registerable[]): void {
    const dags = new Map(this.#contents.dags);
    const handlers = new Map(this.#contents.handlers);
    for (const item of items) addItem(dags, handlers, item);
    this.#contents = { dags, handlers };
  }

  /** What runs a task; undefined where nothing is registered for it. */
  getTaskHandler(dagId: string, taskId: string): TaskFunction | undefined {
    const dag = this.#contents.dags.get(dagId);
    if (dag !== undefined) return modelOf(dag).tasks.get(taskId)?.handler;
    // The host binds inputs by name at run time, whatever type the author gave them.
    return this.#contents.handlers.get(handlerKey(dagId, taskId))?.handler as TaskFunction | undefined;
  }

  /** Hands the bundle to the process that reads or runs the file. Ends every Dag file: `await bundle.serve()`. */
  async serve(): Promise<void> {
    if (!isBundle(this)) throw new Error("serve() must be called on its bundle: await bundle.serve()");
    handOver(this);
  }

  /** @internal The Dags, in the order registered. */
  get dags(): readonly AnyDag[] {
    return [...this.#contents.dags.values()];
  }

  /** @internal */
  static owns(value: object): value is Bundle {
    return #contents in value;
  }
}

/** True for bundles of this copy of the SDK; throws for those of another. */
export function isBundle(value: unknown): value is Bundle {
  if (typeof value !== "object" || value === null) return false;
  if (Bundle.owns(value)) return true;
  if (brandOf(value) === "Bundle") throw foreignCopy("The bundle");
  return false;
}

function addItem(dags: Map<string, AnyDag>, handlers: Map<string, TaskHandler<never, unknown>>, item: unknown): void {
  if (isDag(item)) {
    if (dags.has(item.dagId)) throw new Error(`Dag "${item.dagId}" is registered twice`);
    const taken = [...handlers.values()].some((handler) => handler.dagId === item.dagId);
    if (taken) throw new Error(`"${item.dagId}" can't be both a Dag and the id of task handlers`);
    dags.set(item.dagId, item);
    return;
  }
  if (!(item instanceof TaskHandler)) {
    if (brandOf(item) === "TaskHandler") throw foreignCopy("The task handler");
    throw new Error(`A bundle takes Dags and TaskHandlers, not ${describeValue(item)}`);
  }
  const key = handlerKey(item.dagId, item.taskId);
  if (dags.has(item.dagId)) throw new Error(`"${item.dagId}" can't be both a Dag and the id of task handlers`);
  if (handlers.has(key)) throw new Error(`Task "${item.taskId}" of Dag "${item.dagId}" has two handlers`);
  handlers.set(key, item);
}

function handlerKey(dagId: string, taskId: string): string {
  return JSON.stringify([dagId, taskId]);
}
