/** Loops as authors write them. */
import { describe, expect, it } from "vitest";
import { Dag as AirflowDag } from "../src/airflow.ts";
import { Dag, getContext, type LoopGroupOptions } from "../src/index.ts";
import { edgesOf, runTry, serialize } from "./support/play.ts";

type Estimate = { readonly value: number; readonly error: number };

function refining(options: Partial<LoopGroupOptions<Estimate>> = {}): Dag {
  const dag = new Dag("d");
  const loop = dag.loopGroup<Estimate>("refine", {
    maxIterations: 10,
    until: ({ result }) => result.error < 0.1,
    ...options,
  });
  const improve = loop.task("improve", () => {
    const previous = getContext().loop?.previous as Estimate | null;
    return previous === null ? 1 : (previous.value + 2 / previous.value) / 2;
  })();
  loop.task("measure", ({ value }: { value: number }) => ({ value, error: Math.abs(value * value - 2) }))({
    value: improve,
  });
  loop.after(dag.task("first", () => null)());
  loop.before(dag.task("last", () => null)());
  return dag;
}

describe("loopGroup", () => {
  it("puts a gate behind the last task, and what follows behind the gate", () => {
    const form = serialize(refining());
    expect(edgesOf(form)).toEqual([
      "first > refine.improve",
      "refine.__loop_gate > last",
      "refine.improve > refine.measure",
      "refine.measure > refine.__loop_gate",
    ]);
    expect(form.task_group.children[0]).toMatchObject({
      group: {
        group_id: "refine",
        loop: {
          gate_task_id: "refine.__loop_gate",
          result_task_id: "refine.measure",
          max_iterations: 10,
          has_condition: true,
        },
      },
    });
  });

  it.each([
    [0.05, true],
    [0.5, false],
  ])("asks until with the result of the last task: error %d is %s", async (error, isMet) => {
    const outcome = await runTry(refining(), "refine.__loop_gate", { args: { result: { value: 1, error } } });
    expect(outcome).toEqual({ kind: "success", returnValue: isMet, xcoms: [] });
  });

  it("tells the tasks the iteration and what came before", async () => {
    const loop = { index: 1, max_iterations: 10, previous: { value: 1, error: 1 } };
    expect(await runTry(refining(), "refine.improve", { context: { loop } })).toMatchObject({ returnValue: 1.5 });
    const dag = new Dag("d");
    dag.task("t", () => ({ ...getContext().loop }))();
    expect(await runTry(dag, "t", { context: { loop } })).toMatchObject({
      returnValue: { index: 1, maxIterations: 10, previous: { value: 1, error: 1 } },
    });
    expect(await runTry(dag, "t")).toMatchObject({ returnValue: {} });
  });

  it("without until never ends before its limit", async () => {
    const dag = refining({ until: undefined });
    const { group } = serialize(dag).task_group.children[0] as { group: { loop: object } };
    expect(group.loop).toMatchObject({ has_condition: false });
    expect(await runTry(dag, "refine.__loop_gate", { args: { result: null } })).toMatchObject({ returnValue: false });
  });

  it("fails the gate for an answer that is neither true nor false", async () => {
    const dag = refining({ until: (() => "yes") as never });
    expect(await runTry(dag, "refine.__loop_gate", { args: { result: null } })).toMatchObject({
      kind: "failed",
      error: { message: `until of loop "refine" must return true or false, not "yes"` },
    });
  });

  it("needs exactly one last task", () => {
    const empty = new Dag("d");
    empty.loopGroup("g", { maxIterations: 2 });
    expect(() => serialize(empty)).toThrow(`Loop "g" of Dag "d" has no task`);
    const two = new Dag("d");
    const loop = two.loopGroup("g", { maxIterations: 2 });
    for (const id of ["x", "y"]) loop.task(id, () => id)();
    expect(() => serialize(two)).toThrow(`Loop "g" of Dag "d" ends in "g.x", "g.y"`);
  });

  it.each<[object, string]>([
    [{ maxIterations: 0 }, `maxIterations of loop "g" must be a whole number from 1, not 0`],
    [{ maxIterations: 2, unitl: () => true }, `Unknown option "unitl" for loop "g"; did you mean "until"?`],
    [{ maxIterations: 2, until: true }, `until of loop "g" must be a function, not true`],
  ])("refuses %o", (options, message) => {
    expect(() => new Dag("d").loopGroup("g", options as never)).toThrow(message);
  });

  it("is Updraft's own: the Airflow dialect has no such word", () => {
    expect(Object.hasOwn(AirflowDag.prototype, "loopGroup")).toBe(false);
  });
});
