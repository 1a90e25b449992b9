/**
 * `dag.loopGroup`: a task group that runs again until its condition holds.
 *
 * The gate that asks the condition is a task of the group, added when the Dag is read: only then is it known which task
 * is the last one, whose result the condition and the next iteration get.
 */
import { type CallSite, errorAt } from "./call-site.ts";
import type { DagModel, GroupRecord } from "./dag-model.ts";
import { declareTask } from "./declare-task.ts";
import { leavesOf } from "./graph.ts";
import { describeValue, isPlainObject, type JsonValue } from "./json.ts";
import type { UpdraftTaskSpec } from "./spec-types.ts";
import { didYouMean } from "./suggestion.ts";
import { createTaskGroup } from "./task-group.ts";
import type { GroupRefOf, TaskGroupOptions } from "./task-types.ts";

export interface LoopGroupOptions<R = JsonValue> extends TaskGroupOptions {
  /** At most so many iterations; where the condition does not hold after the last one, the gate fails. */
  readonly maxIterations: number;
  /**
   * Whether the loop is done, asked after each iteration with the result of the group's last task. Without it the loop
   * runs `maxIterations` times.
   */
  readonly until?: ((args: { readonly result: R }) => boolean | Promise<boolean>) | undefined;
}

const OPTIONS = ["maxIterations", "until", "prefixGroupId"];
const GATE = "__loop_gate";

export function createLoopGroup<R>(
  model: DagModel,
  given: { readonly label: string; readonly options: LoopGroupOptions<R>; readonly site: CallSite },
): GroupRefOf<UpdraftTaskSpec> {
  const { prefixGroupId, until, maxIterations } = readOptions(given.label, given.options);
  const ref = createTaskGroup<UpdraftTaskSpec>(model, model.root, { label: given.label, options: { prefixGroupId } });
  const record = model.groups.get(ref.groupId);
  if (record === undefined) throw new Error(`Loop "${ref.groupId}" was not declared`);
  model.beforeReading(() => addGate(model, record, { until, maxIterations, site: given.site }));
  return ref;
}

function readOptions<R>(label: string, options: LoopGroupOptions<R>): LoopGroupOptions<R> {
  if (!isPlainObject(options))
    throw new Error(`The options of loop "${label}" must be a plain object, not ${describeValue(options)}`);
  const unknown = Object.keys(options).find((key) => !OPTIONS.includes(key));
  if (unknown !== undefined)
    throw new Error(`Unknown option "${unknown}" for loop "${label}"${didYouMean(unknown, OPTIONS)}`);
  const { until, maxIterations } = options;
  if (!Number.isInteger(maxIterations) || maxIterations < 1)
    throw new Error(
      `maxIterations of loop "${label}" must be a whole number from 1, not ${describeValue(maxIterations)}`,
    );
  if (until !== undefined && typeof until !== "function")
    throw new Error(`until of loop "${label}" must be a function, not ${describeValue(until)}`);
  return options;
}

function addGate<R>(
  model: DagModel,
  group: GroupRecord,
  { until, maxIterations, site }: Pick<LoopGroupOptions<R>, "until" | "maxIterations"> & { readonly site: CallSite },
): void {
  const where = `Loop "${group.groupId}" of Dag "${model.dagId}"`;
  const [last, ...others] = leavesOf(model, group);
  if (last === undefined) throw errorAt(site, `${where} has no task`);
  if (others.length > 0) {
    const names = [last, ...others].map(({ taskId }) => `"${taskId}"`).join(", ");
    throw errorAt(site, `${where} ends in ${names}; put one task behind them, whose result is that of the iteration`);
  }
  const ask = async ({ result }: { readonly result: R }): Promise<boolean> => {
    const isMet = until === undefined ? false : await until({ result });
    if (typeof isMet === "boolean") return isMet;
    throw new Error(`until of loop "${group.groupId}" must return true or false, not ${describeValue(isMet)}`);
  };
  const gate = declareTask({ model, group, site }, ask, { positional: GATE, options: undefined });
  gate.inputs = [{ name: "result", task: last }];
  gate.placed = true;
  group.loop = {
    gate_task_id: gate.taskId,
    result_task_id: last.taskId,
    max_iterations: maxIterations,
    has_condition: until !== undefined,
  };
}
