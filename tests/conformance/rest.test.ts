/**
 * REST API v2 as a user's script speaks it: token, pause, trigger with conf, read the run, its task instances and the log
 * of each try. It knows nothing of Updraft's inside.
 */
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { type Product, startProduct } from "../support/product.ts";
import { type RestClient, until } from "../support/rest-client.ts";

let product: Product;
let rest: RestClient;

beforeAll(async () => {
  product = await startProduct({ dagsFolder: join(import.meta.dirname, "dags") });
  rest = product.rest;
  for (const dag of ["conf_bash", "conf_retry", "conf_branch", "conf_fail"]) {
    await rest.waitForDag(dag);
    await rest.setPaused(dag, false);
  }
}, 180_000);

afterAll(() => product?.stop(), 60_000);

async function statesOf(dagId: string, runId: string): Promise<Record<string, string | null>> {
  return Object.fromEntries((await rest.taskInstances(dagId, runId)).map((ti) => [ti.task_id, ti.state]));
}

describe("a run by REST", () => {
  it("refuses without a token and with a wrong password", async () => {
    const anonymous = await fetch(`${rest.baseUrl}/api/v2/dags`);
    expect(anonymous.status).toBe(401);
    const wrong = await rest.call("POST", "/auth/token", { username: "airflow", password: "wrong" });
    expect(wrong.status).toBe(401);
  });

  it("triggers with conf, hands a bash task's last line on, and keeps the log of the try", async () => {
    const { dag_run_id } = await rest.trigger("conf_bash", { why: "conformance" });
    const run = await rest.waitForRun("conf_bash", dag_run_id);
    expect(run).toMatchObject({ state: "success", run_type: "manual", conf: { why: "conformance" } });
    expect(await statesOf("conf_bash", dag_run_id)).toEqual({ hello: "success", shout: "success" });
    const xcom = await rest.ok<{ value: unknown }>(
      "GET",
      `/api/v2/dags/conf_bash/dagRuns/${encodeURIComponent(dag_run_id)}/taskInstances/shout/xcomEntries/return_value`,
    );
    expect(JSON.stringify(xcom.value)).toContain("LAST LINE");
    expect(await rest.log("conf_bash", dag_run_id, "hello", 1)).toContain("first line");
  });

  it("keeps a log for each try of a retried task", async () => {
    const { dag_run_id } = await rest.trigger("conf_retry");
    expect((await rest.waitForRun("conf_retry", dag_run_id)).state).toBe("success");
    expect(await rest.log("conf_retry", dag_run_id, "flaky", 1)).toContain("this is try 1");
    expect(await rest.log("conf_retry", dag_run_id, "flaky", 2)).toContain("this is try 2");
    const tries = await rest.ok<{ task_instances: { try_number: number; state: string }[] }>(
      "GET",
      `/api/v2/dags/conf_retry/dagRuns/${encodeURIComponent(dag_run_id)}/taskInstances/flaky/tries`,
    );
    expect(tries.task_instances.map((one) => one.try_number)).toEqual([1, 2]);
  });

  it("skips the side that was not taken and joins", async () => {
    const { dag_run_id } = await rest.trigger("conf_branch");
    expect((await rest.waitForRun("conf_branch", dag_run_id)).state).toBe("success");
    expect(await statesOf("conf_branch", dag_run_id)).toEqual({
      probe: "success",
      anyRows: "success",
      yes: "skipped",
      no: "success",
      join: "success",
    });
  });

  it("fails the run by a leaf that is upstream_failed, after the cleanup ran", async () => {
    const { dag_run_id } = await rest.trigger("conf_fail");
    expect((await rest.waitForRun("conf_fail", dag_run_id)).state).toBe("failed");
    expect(await statesOf("conf_fail", dag_run_id)).toEqual({
      breaks: "failed",
      never: "upstream_failed",
      cleanup: "success",
    });
  });

  it("clears the failed tasks of a run, which runs them again", async () => {
    const { dag_run_id } = await rest.trigger("conf_fail");
    await rest.waitForRun("conf_fail", dag_run_id);
    const body = { dag_run_id, only_failed: true, reset_dag_runs: true };
    const preview = await rest.ok<{ total_entries: number }>("POST", "/api/v2/dags/conf_fail/clearTaskInstances", {
      ...body,
      dry_run: true,
    });
    expect(preview.total_entries).toBe(2);
    await rest.ok("POST", "/api/v2/dags/conf_fail/clearTaskInstances", { ...body, dry_run: false });
    await until("the second try of breaks is over", 20_000, async () => {
      const breaks = (await rest.taskInstances("conf_fail", dag_run_id)).find((ti) => ti.task_id === "breaks");
      return breaks?.try_number === 2 && breaks.state === "failed";
    });
  });

  it("holds a paused DAG's run until it is unpaused", async () => {
    await rest.setPaused("conf_bash", true);
    const { dag_run_id } = await rest.trigger("conf_bash");
    await new Promise((done) => setTimeout(done, 500));
    expect((await rest.run("conf_bash", dag_run_id)).state).toBe("queued");
    await rest.setPaused("conf_bash", false);
    expect((await rest.waitForRun("conf_bash", dag_run_id)).state).toBe("success");
  });

  it.each([
    ["an unknown DAG", "POST", "/api/v2/dags/no_such_dag/dagRuns", { logical_date: null }, 404],
    ["a conf that is no object", "POST", "/api/v2/dags/conf_bash/dagRuns", { logical_date: null, conf: [1] }, 422],
    ["a trigger without logical_date", "POST", "/api/v2/dags/conf_bash/dagRuns", {}, 422],
    ["an unknown run", "GET", "/api/v2/dags/conf_bash/dagRuns/nope", undefined, 404],
    ["an unknown order", "GET", "/api/v2/dags?order_by=no_such_column", undefined, 400],
    ["a limit below zero", "GET", "/api/v2/dags?limit=-1", undefined, 422],
  ])("answers %s as Airflow does", async (_what, method, path, body, status) => {
    const answer = await rest.call<{ detail: unknown }>(method, path, body);
    expect(answer.status).toBe(status);
    expect(answer.body.detail).toBeDefined();
  });

  it("refuses a run id that is taken", async () => {
    const body = { logical_date: null, dag_run_id: "taken_once" };
    expect((await rest.call("POST", "/api/v2/dags/conf_retry/dagRuns", body)).status).toBe(200);
    expect((await rest.call("POST", "/api/v2/dags/conf_retry/dagRuns", body)).status).toBe(409);
  });
});
