import { dag, group } from "@updraft/testkit/dags";
import { describe, expect, it } from "vitest";
import {
  awaitsRetry,
  beginGroup,
  failedPart,
  NO_RETRIES,
  noteFailure,
  type RunRetries,
  retryingGroups,
  retryRun,
  type TaskInstanceState,
  validateDag,
} from "../src/index.ts";
import { table } from "./table.ts";

const inner = group("o.i", [{ task_id: "x" }], { retries: 1 });
const outer = group("o", [{ task_id: "w" }, { group: inner }], { retries: 2 });
const nested = dag("w > x > after", { task_group: group(null, [{ group: outer }, { task_id: "after" }]) });
const groups = retryingGroups(nested);

describe("groups that run again", () => {
  it("are known with all their tasks, inner ones first", () => {
    expect(groups.map(({ group_id, task_ids }) => `${group_id}: ${[...task_ids].join(" ")}`)).toEqual([
      "o.i: x",
      "o: w x",
    ]);
  });

  it("are marked from the inside out, and have no more retries than the author gave", () => {
    let retries: RunRetries | null = null;
    const began: string[] = [];
    for (;;) {
      const failed = noteFailure(groups, retries, "x");
      if (failed === null || !awaitsRetry(failed)) break;
      const [id = ""] = Object.entries(failed.groups).find(([, one]) => one.failed) ?? [];
      began.push(id);
      const one = groups.find(({ group_id }) => group_id === id);
      if (one !== undefined) retries = beginGroup(groups, failed, one);
    }
    expect(began).toEqual(["o.i", "o", "o.i", "o", "o.i"]);
  });

  it("are none of a task's business outside", () => {
    expect(noteFailure(groups, null, "after")).toBeNull();
  });
});

describe("a run that runs again", () => {
  it("counts its retries", () => {
    expect(retryRun({ retries: 0, retry_delay: 5 }, null, 1000)).toBeNull();
    expect(retryRun({ retries: 1, retry_delay: 5 }, null, 1000)).toMatchObject({ due_at: 6000 });
    const used = { ...NO_RETRIES, run: { used: 1, failed: false, due_at: null } };
    expect(retryRun({ retries: 1, retry_delay: 5 }, used, 1000)).toBeNull();
  });

  it.each(
    table(`
      states                                       | cleared
      a success, b failed, c upstream_failed       | b c
      a success, b failed, c success               | b
      a skipped, b failed, c skipped               | b c
      a failed, b skipped, c skipped               | a b c
      a success, b success, c success              | -
    `),
  )("[$states] of a > b > c clears [$cleared]", ({ states = "", cleared }) => {
    const instances = states.split(", ").map((text) => {
      const [task_id = "", state] = text.split(" ");
      return { task_id, state: state as TaskInstanceState };
    });
    const part = failedPart(dag("a > b > c"), instances).map(({ task_id }) => task_id);
    expect(part.join(" ")).toBe(cleared);
  });
});

describe("validateDag with retries", () => {
  it("refuses groups that run again in a DAG that ends with its first failure", () => {
    const form = { ...nested, fail_fast: true };
    expect(validateDag(form).map(({ message }) => message)).toEqual([
      "Group 'o.i' can't run again in a DAG with fail_fast, which ends with its first failure",
      "Group 'o' can't run again in a DAG with fail_fast, which ends with its first failure",
    ]);
  });
});
