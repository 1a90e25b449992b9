/** Setups, teardowns and the operators that skip, as authors write them. */
import { describe, expect, it } from "vitest";
import { Dag as AirflowDag } from "../src/airflow.ts";
import { branch, Dag, empty, latestOnly, shortCircuit } from "../src/index.ts";
import { edgesOf, runDag, runTask, serialize, taskOf } from "./support/play.ts";

const NOTE = "skipmixin_key";

/** `pick` before the given tasks, each followed by `join`. */
function branching(choice: string | readonly string[] | null): Dag {
  const dag = new Dag("d");
  const pick = dag.task(
    "pick",
    branch(() => choice),
  )();
  const join = dag.task("join", () => "joined", { triggerRule: "none_failed_min_one_success" })();
  for (const id of ["t1", "t2"])
    pick.before(
      dag
        .task(id, () => id)()
        .before(join),
    );
  pick.before(join);
  const group = dag.taskGroup("g");
  pick.before(
    group
      .task("first", () => 1)()
      .before(group.task("second", () => 2)()),
  );
  return dag;
}

describe("branch", () => {
  it.each([
    ["a task: what comes after it is followed too (case 4)", "t1", ["g.first", "t2"], ["join", "t1"]],
    ["a list", ["t1", "t2"], ["g.first"], ["join", "t1", "t2"]],
    ["a group: its roots", "g", ["join", "t1", "t2"], ["g.first"]],
    ["nothing", null, ["g.first", "join", "t1", "t2"], []],
  ])("follows %s", async (_, choice, skipped, followed) => {
    const { world, outcomes } = await runDag(branching(choice));
    expect([...world.skipped].toSorted()).toEqual(skipped);
    expect(world.xcoms.get(`d/run/pick/${NOTE}`)).toEqual({ followed });
    expect(outcomes.pick).toEqual({ kind: "success", xcoms: [] });
    expect(world.calls.slice(0, 2)).toEqual([`setXCom ${NOTE}`, expect.stringMatching(/^skipDownstream /)]);
  });

  it("keeps its result where nothing is skipped", async () => {
    const { xcoms, skipped } = await runDag(branching(["t1", "t2", "g"]));
    expect([xcoms.pick, skipped]).toEqual([["t1", "t2", "g"], []]);
  });

  it("fails for what is no task", async () => {
    expect(await runTask(branching("t3"), "pick")).toMatchObject({
      kind: "failed",
      error: { message: expect.stringContaining(`but returned "t3"`) },
    });
  });

  it("is a decider whose choice is read again", () => {
    const pick = taskOf(serialize(branching("t1")), "pick");
    expect([pick.operator_name, pick.can_skip_downstream]).toEqual(["BranchPythonOperator", true]);
  });
});

describe("shortCircuit", () => {
  const circuit = (value: unknown, ignoreDownstreamTriggerRules = true) => {
    const dag = new Dag("d");
    const check = dag.task(
      "check",
      shortCircuit(() => value, { ignoreDownstreamTriggerRules }),
    )();
    const after = dag.task("after", () => 1, { triggerRule: "all_done" })();
    const clean = dag
      .task("clean", () => 1)()
      .asTeardown();
    check.before(
      dag
        .task("next", () => 1)()
        .before(after),
      clean,
    );
    after.before(clean);
    return dag;
  };

  it("skips everything downstream but teardowns", async () => {
    const { world, outcomes } = await runDag(circuit(0));
    expect([...world.skipped].toSorted()).toEqual(["after", "next"]);
    expect(world.xcoms.get(`d/run/check/${NOTE}`)).toEqual({ skipped: ["next", "after"] });
    expect(outcomes.check).toEqual({ kind: "success", xcoms: [] });
  });

  it("skips only what comes right after it where trigger rules count", async () => {
    expect((await runDag(circuit([], false))).skipped).toEqual(["next"]);
  });

  it("lets everything run and keeps its result otherwise", async () => {
    const { xcoms, skipped } = await runDag(circuit({ rows: 3 }));
    expect([xcoms.check, skipped]).toEqual([{ rows: 3 }, []]);
  });
});

describe("latestOnly", () => {
  it("never skips in a manual run", async () => {
    const dag = new Dag("d", { schedule: { cronDataInterval: "@daily" } });
    dag
      .task("latest", latestOnly())()
      .before(dag.task("next", () => 1)());
    expect((await runDag(dag)).skipped).toEqual([]);
  });
});

describe("empty", () => {
  it("needs no worker", () => {
    const dag = new Dag("d");
    dag.task("meet", empty())();
    expect(taskOf(serialize(dag), "meet")).toMatchObject({ is_empty: true, operator_name: "EmptyOperator" });
  });
});

describe("setups and teardowns", () => {
  it("marks setups and draws their edges", () => {
    const dag = new Dag("d");
    const make = dag.task("make", () => 1)();
    const work = dag
      .task("work", () => 2)()
      .after(make);
    const drop = dag.task("drop", () => 3)();
    drop.after(work).asTeardown({ setups: make, onFailureFailDagrun: true });
    const serialized = serialize(dag);
    expect(edgesOf(serialized)).toEqual(["make > drop", "make > work", "work > drop"]);
    expect(taskOf(serialized, "make")).toMatchObject({ is_setup: true, is_teardown: false });
    expect(taskOf(serialized, "drop")).toMatchObject({
      is_teardown: true,
      on_failure_fail_dagrun: true,
      trigger_rule: "all_done_setup_success",
    });
  });

  it("takes the same from the options of tasks", () => {
    const dag = new Dag("d");
    const make = dag.task("make", () => 1, { setup: true })();
    dag
      .task("drop", () => 3, { teardown: true, onFailureFailDagrun: true })()
      .after(make);
    const serialized = serialize(dag);
    expect(taskOf(serialized, "make").is_setup).toBe(true);
    expect(taskOf(serialized, "drop")).toMatchObject({ is_teardown: true, on_failure_fail_dagrun: true });
  });

  it("says what is wrong with the options", () => {
    const dag = new Dag("d");
    const drop = dag.task("drop", () => 3)();
    expect(() => drop.asTeardown({ setup: drop } as never)).toThrow('Unknown option "setup"');
    expect(() => drop.asTeardown({ setups: "make" as never })).toThrow("takes a task's ref");
    expect(() => serialize(withLooseSuccessor())).toThrow("its trigger rule must be all_success");
  });
});

describe("retries of groups and runs", () => {
  it("are options of Updraft's own", () => {
    const dag = new Dag("d", { retries: 2, retryDelay: 5 });
    const inner = dag.taskGroup("g", { retries: 3, retryDelay: 60, prefixGroupId: false });
    inner.task("a", () => 1)();
    const serialized = serialize(dag);
    expect(serialized).toMatchObject({ retries: 2, retry_delay: 5 });
    expect(serialized.task_group.children).toMatchObject([{ group: { group_id: "g", retries: 3, retry_delay: 60 } }]);
    expect(taskOf(serialized, "a").task_id).toBe("a");
  });

  it("refuse what is no number, and are unknown to Airflow", () => {
    expect(() => new Dag("d").taskGroup("g", { retries: -1 })).toThrow("retries of task group");
    expect(() => new AirflowDag("d").taskGroup("g", { retries: 1 } as never)).toThrow('Unknown option "retries"');
  });
});

function withLooseSuccessor(): Dag {
  const dag = new Dag("d");
  dag
    .task("make", () => 1)()
    .asSetup()
    .before(dag.task("work", () => 2, { triggerRule: "all_done" })());
  return dag;
}
