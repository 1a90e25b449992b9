import { dag, group } from "@updraft/testkit/dags";
import { describe, expect, it } from "vitest";
import { decideLoop, restartedLoops, type SerializedLoop, taskLoops, validateDag } from "../src/index.ts";
import { table } from "./table.ts";

const LOOP: SerializedLoop = {
  gate_task_id: "g.gate",
  result_task_id: "g.b",
  max_iterations: 3,
  has_condition: true,
};
const BODY = [{ task_id: "g.a" }, { task_id: "g.b" }, { task_id: "g.gate" }];
const looping = (loop: SerializedLoop = LOOP) =>
  dag("before > g.a > g.b > g.gate > after", { task_group: group(null, [{ group: group("g", BODY, { loop }) }]) });

describe("decideLoop", () => {
  it.each(
    table(`
      iteration | max_iterations | condition | holds | result
      0         | 3              | yes       | no    | again
      1         | 3              | yes       | no    | again
      2         | 3              | yes       | no    | failed
      0         | 3              | yes       | yes   | done
      2         | 3              | yes       | yes   | done
      0         | 1              | yes       | no    | failed
      0         | 3              | -         | no    | again
      2         | 3              | -         | no    | done
      0         | 1              | -         | no    | done
    `),
  )("iteration $iteration of $max_iterations, condition $condition holds $holds: $result", (row) => {
    const loop = { group_id: "g", max_iterations: Number(row.max_iterations), has_condition: row.condition === "yes" };
    expect(decideLoop(loop, Number(row.iteration), row.holds === "yes").kind).toBe(row.result);
  });

  it("says which iteration begins, and why there is no other", () => {
    const loop = { group_id: "g", max_iterations: 2, has_condition: true };
    expect(decideLoop(loop, 0, false)).toEqual({ kind: "again", cause: "Iteration 2 of at most 2 of loop g begins" });
    expect(decideLoop(loop, 1, false)).toMatchObject({
      reason: "the condition of loop g did not hold after 2 iterations",
    });
  });
});

describe("restartedLoops", () => {
  it.each(
    table(`
      cleared                    | restarted
      g.a, g.b, g.gate           | g
      before, g.a, g.b, g.gate   | g
      g.b, g.gate                |
      before, after              |
    `),
  )("cleared $cleared: $restarted", ({ cleared = "", restarted }) => {
    const found = restartedLoops(taskLoops(looping()), new Set(cleared.split(", ")));
    expect(found.map(({ group_id }) => group_id).join()).toBe(restarted ?? "");
  });
});

describe("validateDag", () => {
  const complaints = (form: ReturnType<typeof dag>) => validateDag(form).map(({ message }) => message);

  it("accepts a loop", () => {
    expect(complaints(looping())).toEqual([]);
  });

  it("refuses limits below 1 and tasks from elsewhere", () => {
    expect(complaints(looping({ ...LOOP, max_iterations: 0, gate_task_id: "after" }))).toEqual([
      "The loop 'g' needs max_iterations of at least 1, not 0",
      "The loop 'g' names 'after', which is not a task of it",
    ]);
  });

  it("refuses a loop in a loop", () => {
    const inner = group("g", BODY, { loop: LOOP });
    const outer = group("o", [{ group: inner }], { loop: LOOP });
    const form = dag("g.a > g.b > g.gate", { task_group: group(null, [{ group: outer }]) });
    expect(complaints(form)).toEqual(["The loop 'g' is inside of the loop 'o', which is not supported"]);
  });
});
