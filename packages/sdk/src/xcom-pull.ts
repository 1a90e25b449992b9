/** `xcomPull(...)`: what tasks pushed, by Airflow's rules for one task, several tasks and mapped ones. */
import type { JsonValue } from "./json.ts";
import { currentScope, type TryScope } from "./try-scope.ts";

export interface XComPullOptions {
  /** One task, or several. Default: the current one. */
  readonly taskIds?: string | readonly string[] | undefined;
  /** Default "return_value". */
  readonly key?: string | undefined;
  readonly dagId?: string | undefined;
  readonly runId?: string | undefined;
  /** Instances of a mapped task. Unset: all that pushed something. -1 is the one of a task that is not mapped. */
  readonly mapIndexes?: number | readonly number[] | undefined;
  /** Where the run has none, the newest run before it that has one counts. */
  readonly includePriorDates?: boolean | undefined;
  /** Stands for what nobody pushed. Default null. */
  readonly default?: JsonValue | undefined;
}

/**
 * What tasks pushed: one value for one task, a list for several tasks or instances, in their order.
 *
 * A single task without `mapIndexes` gives `default` where it pushed nothing, its value where one instance pushed, and
 * the list of values where several did.
 */
export async function xcomPull<T = JsonValue>(options: XComPullOptions = {}): Promise<T> {
  const scope = currentScope("xcomPull()");
  const { taskIds = scope.context.task_id, mapIndexes } = options;
  const tasks = listOf(taskIds);
  const parts = await Promise.all(
    mapIndexes === undefined
      ? tasks.map((taskId) => pullAll(scope, taskId, options))
      : tasks.flatMap((taskId) => listOf(mapIndexes).map((index) => pullOne(scope, { taskId, index }, options))),
  );
  const values = parts.flat(1);
  const isOneAsked = typeof taskIds === "string" && typeof mapIndexes !== "object";
  // The author names the type of what was pushed; the wire carries any JSON.
  return (isOneAsked && values.length === 1 ? values[0] : values) as T;
}

async function pullAll({ client, context }: TryScope, taskId: string, options: XComPullOptions): Promise<JsonValue[]> {
  const values = await client.getXComs({ ...addressOf(context, options), taskId });
  return values.length === 0 ? [options.default ?? null] : values;
}

/** In a list of its own, so that a value that is a list stays one. */
async function pullOne(
  { client, context }: TryScope,
  { taskId, index }: { readonly taskId: string; readonly index: number },
  options: XComPullOptions,
): Promise<JsonValue[]> {
  const { found, value } = await client.getXCom({ ...addressOf(context, options), taskId, mapIndex: index });
  return [found ? value : (options.default ?? null)];
}

function addressOf(context: TryScope["context"], options: XComPullOptions) {
  const { dagId = context.dag_id, runId = context.run_id, key = "return_value", includePriorDates = false } = options;
  return { dagId, runId, key, includePriorDates };
}

function listOf<T extends string | number>(given: T | readonly T[]): readonly T[] {
  return typeof given === "object" ? given : [given];
}
