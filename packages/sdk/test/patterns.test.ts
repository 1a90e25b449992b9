/** The canonical usage patterns of the authoring API parse to the graphs they stand for, and run. */
import type { JsonValue, SerializedDag } from "@updraft/dag-core";
import { validateDag } from "@updraft/dag-core";
import { describe, expect, it } from "vitest";
import { Bundle, Dag, getClient, getContext, NEVER_EXPIRE, triggerDagRun } from "../src/airflow.ts";
import { edgesOf, runDag, runTask, serialize, taskOf } from "./support/play.ts";

function valid(dag: Dag): SerializedDag {
  const serialized = serialize(dag);
  expect(validateDag(serialized)).toEqual([]);
  return serialized;
}

describe("canonical patterns", () => {
  it("says where a Dag has an opinion about versions", () => {
    const of = (spec: object) => serialize(new Dag("d", spec)).disable_bundle_versioning;
    expect([of({}), of({ disableBundleVersioning: true }), of({ disableBundleVersioning: false })]).toEqual([
      undefined,
      true,
      false,
    ]);
  });

  it("P1: linear data flow with positional ids and a literal", async () => {
    const dag = new Dag("p1", { schedule: "@daily", catchup: false, tags: ["demo"] });
    const pull = dag.task("pull", async () => [3, 1, 2]);
    const total = dag.task("total", ({ xs, floor }: { xs: number[]; floor: number }) =>
      xs.reduce((a, b) => a + b, floor),
    );
    total({ xs: pull(), floor: 10 });

    const serialized = valid(dag);
    expect(serialized.timetable).toEqual({ type: "cron", expression: "0 0 * * *", timezone: "UTC" });
    expect(edgesOf(serialized)).toEqual(["pull > total"]);
    expect(taskOf(serialized, "total").arg_bindings).toEqual([
      { name: "xs", kind: "xcom", task_id: "pull" },
      { name: "floor", kind: "literal", value: 10 },
    ]);
    expect((await runDag(dag)).xcoms).toEqual({ pull: [3, 1, 2], total: 16 });
  });

  it("P2: ids from the function and the options, retries and backoff", async () => {
    const dag = new Dag("p2");
    const flaky = dag.task(
      async function fetchPage() {
        throw new Error("503");
      },
      { retries: 3, retryDelay: 2, retryExponentialBackoff: 2, maxRetryDelay: 30, executionTimeout: 60 },
    );
    const anonymous = dag.task(async () => "ok", { taskId: "named_by_spec" });
    flaky().before(anonymous());

    const serialized = valid(dag);
    expect(edgesOf(serialized)).toEqual(["fetchPage > named_by_spec"]);
    expect(taskOf(serialized, "fetchPage")).toMatchObject({
      retries: 3,
      retry_delay: 2,
      retry_exponential_backoff: 2,
      max_retry_delay: 30,
      execution_timeout: 60,
    });
    expect(await runTask(dag, "fetchPage")).toMatchObject({
      kind: "failed",
      retry: true,
      error: { name: "Error", message: "503" },
    });
  });

  it("P3: fan-in by name and fan-out of one ref", async () => {
    const dag = new Dag("p3");
    const src = dag.task("src", () => ({ n: 4 }));
    const sq = dag.task("sq", ({ v }: { v: { n: number } }) => v.n ** 2);
    const neg = dag.task("neg", ({ v }: { v: { n: number } }) => -v.n);
    const pair = dag.task("pair", ({ a, b }: { a: number; b: number }) => [a, b]);
    const s = src();
    pair({ a: sq({ v: s }), b: neg({ v: s }) });

    expect(edgesOf(valid(dag))).toEqual(["neg > pair", "sq > pair", "src > neg", "src > sq"]);
    expect((await runDag(dag)).xcoms.pair).toEqual([16, -4]);
  });

  it("P4: order-only edges and a clean-up that always runs", () => {
    const dag = new Dag("p4");
    const declare = (id: string) => dag.task(id, () => undefined, id === "rm" ? { triggerRule: "all_done" } : {})();
    const [mk, use, rm] = [declare("mk"), declare("use"), declare("rm")];
    rm.after(mk, use);
    mk.before(use);

    const serialized = valid(dag);
    expect(edgesOf(serialized)).toEqual(["mk > rm", "mk > use", "use > rm"]);
    expect(taskOf(serialized, "rm").trigger_rule).toBe("all_done");
  });

  it("P5: nested, prefixed and unprefixed groups, with an edge between groups", () => {
    const dag = new Dag("p5");
    const ingest = dag.taskGroup("ingest");
    const eu = ingest.taskGroup("eu");
    eu.task("load", () => 1)();
    const checks = dag.taskGroup("checks", { prefixGroupId: false });
    checks.task("count", () => 2)();
    ingest.before(checks);

    const serialized = valid(dag);
    expect(edgesOf(serialized)).toEqual(["ingest.eu.load > count"]);
    const unmapped = { expand: null, retries: 0, retry_delay: 300 };
    const group = (group_id: string | null, children: unknown[]) => {
      const label = group_id?.split(".").at(-1) ?? "";
      return { ...unmapped, group_id, label, children };
    };
    const euGroup = group("ingest.eu", [{ task_id: "ingest.eu.load" }]);
    expect(serialized.task_group).toEqual(
      group(null, [
        { group: group("ingest", [{ group: euGroup }]) },
        { group: group("checks", [{ task_id: "count" }]) },
      ]),
    );
  });

  it("P6: if and else with inputs; the decider notes and skips the side not taken", async () => {
    const dag = new Dag("p6");
    const probe = dag.task("probe", () => 0);
    const yes = dag.task("yes", () => "y")();
    const no = dag.task("no", () => "n")();
    const anyRows = ({ n }: { n: number }) => n > 0;
    dag.if(anyRows, { n: probe() }, { retries: 1 }).then(yes).else(no);
    dag
      .task("join", () => undefined, { triggerRule: "none_failed_min_one_success" })()
      .after(yes, no);

    const serialized = valid(dag);
    expect(edgesOf(serialized)).toEqual([
      "anyRows > no",
      "anyRows > yes",
      "no > join",
      "probe > anyRows",
      "yes > join",
    ]);
    expect(taskOf(serialized, "anyRows")).toMatchObject({ can_skip_downstream: true, retries: 1 });
    const run = await runDag(dag);
    expect(run.xcoms).toMatchObject({ anyRows: false, no: "n" });
    expect(run.skipped).toEqual(["yes"]);
    expect(run.world.xcoms.get("p6/run/anyRows/skipmixin_key")).toEqual({ skipped: ["yes"] });
    expect(run.world.calls.slice(-2)).toEqual(["setXCom skipmixin_key", "skipDownstream yes"]);
  });

  it("P7: a one-sided condition before a switch", async () => {
    const dag = new Dag("p7");
    const small = dag.task("small", () => 1)();
    const big = dag.task("big", () => 2)();
    const size = dag
      .switch(() => small, undefined, { taskId: "size" })
      .case(small)
      .case(big);
    dag.if(() => true, undefined, { taskId: "enabled" }).then(size);

    expect(edgesOf(valid(dag))).toEqual(["enabled > size", "size > big", "size > small"]);
    const run = await runDag(dag);
    expect(run.xcoms).toEqual({ enabled: true, size: "small", small: 1 });
    expect(run.skipped).toEqual(["big"]);
  });

  it("P8: variables, connections, XComs and the context at run time", async () => {
    const dag = new Dag("p8");
    const work = dag.task("work", async () => {
      const client = getClient();
      const { tryNumber, runId, signal } = getContext();
      const limit = Number((await client.getVariable("limit")) ?? "5");
      const db = await client.getConnectionOrThrow("warehouse");
      await client.setXCom({ key: "where", value: { host: db.host ?? null, tryNumber, runId } });
      signal.throwIfAborted();
      return limit;
    });
    const peek = dag.task("peek", async () =>
      getClient().getXCom<{ host: string | null }>({ key: "where", taskId: "work" }),
    );
    work().before(peek());

    const run = await runDag(dag, (world) => {
      world.variables.set("limit", "7");
      world.connections.set("warehouse", { host: "db.example" });
    });
    expect(run.xcoms).toEqual({ work: 7, peek: { host: "db.example", tryNumber: 1, runId: "run" } });
  });

  it("P9: work that resumes across retries", async () => {
    const dag = new Dag("p9");
    dag.task(
      "resume",
      async () => {
        const state = getClient().taskStateStore;
        const at = (await state.get<number>("cursor")) ?? 0;
        await state.set("cursor", at + 1, { retention: NEVER_EXPIRE });
        if (at < 2) throw new Error("again");
      },
      { retries: 5, retryDelay: 1 },
    )();

    const state = new Map<string, JsonValue>();
    const kinds: string[] = [];
    for (let tryNumber = 1; tryNumber <= 3; tryNumber++) {
      kinds.push((await runTask(dag, "resume", (world) => (world.state = state))).kind);
    }
    expect(kinds).toEqual(["failed", "failed", "success"]);
    expect(state.get("cursor")).toBe(3);
  });

  it("P10: triggers another Dag and waits; the queue of the Dag is inherited", async () => {
    const dag = new Dag("p10", { queue: "typescript", maxActiveRuns: 1 });
    dag.task(
      "kick",
      triggerDagRun({
        dagId: "p1",
        conf: { why: "p10" },
        waitForCompletion: true,
        pokeInterval: 0.01,
        skipWhenAlreadyExists: true,
      }),
    )();

    const serialized = valid(dag);
    expect(taskOf(serialized, "kick")).toMatchObject({ queue: "typescript", operator_name: "TriggerDagRunOperator" });
    const run = await runDag(dag, (world) => {
      world.runStates = ["queued", "running", "success"];
    });
    expect(run.outcomes.kick).toEqual({ kind: "success", xcoms: [] });
    const [triggered] = run.world.triggered;
    expect(triggered).toMatchObject({ dagId: "p1", conf: { why: "p10" }, resetDagRun: false });
    expect(triggered?.runId).toMatch(/^manual__\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}\+00:00$/);
    expect(run.world.xcoms.get("p10/run/kick/trigger_run_id")).toBe(triggered?.runId);
    expect(run.world.xcoms.get("p10/run/kick/_link_TriggerDagRunLink")).toBe(
      `/dags/p1/runs/${encodeURIComponent(triggered?.runId ?? "")}`,
    );
  });

  it("hands several Dags over in one bundle", () => {
    const bundle = new Bundle(new Dag("a"), new Dag("b"));
    bundle.register(new Dag("c"));
    expect(bundle.dags.map((dag) => dag.dagId)).toEqual(["a", "b", "c"]);
  });
});
