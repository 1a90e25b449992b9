/** `--separate`: a run whose tasks wait for time, a trigger, a look, another run and a person; its triggerer is killed. */
import { appendFileSync, existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, it } from "vitest";
import { descendants } from "../support/processes.ts";
import { type Product, startProduct } from "../support/product.ts";
import { until } from "../support/rest-client.ts";

let product: Product;
const folder = mkdtempSync(join(tmpdir(), "updraft-waits-"));
const inbox = mkdtempSync(join(tmpdir(), "updraft-watched-"));

beforeAll(async () => {
  product = await startProduct({
    dagsFolder: join(import.meta.dirname, "dags"),
    separate: true,
    environment: {
      UPDRAFT__SCHEDULER__LEASE_SECONDS: "3",
      UPDRAFT__WORKER__HEARTBEAT_SECONDS: "1",
      AIRFLOW_VAR_WATCHED_INBOX: inbox,
    },
  });
  await product.rest.waitForDag("waits");
}, 180_000);

afterAll(async () => {
  await product?.stop();
  rmSync(folder, { recursive: true, force: true });
  rmSync(inbox, { recursive: true, force: true });
}, 60_000);

/** The process of the triggerer; undefined while there is none. */
function triggerer(): number | undefined {
  const all = descendants(product.process.pid ?? 0);
  return all.find((one) => one.command.includes("apps/triggerer/src/main.ts"))?.pid;
}

async function states(runId: string): Promise<Record<string, string | null>> {
  const instances = await product.rest.taskInstances("waits", runId);
  return Object.fromEntries(instances.map(({ task_id, state }) => [task_id, state]));
}

const linesOf = (name: string) => {
  const path = join(folder, name);
  return existsSync(path) ? readFileSync(path, "utf8").trim().split("\n").length : 0;
};

it.skipIf(process.platform !== "linux")(
  "defers, reschedules and asks a person, with the triggerer killed in between",
  async () => {
    const { dag_run_id: run } = await product.rest.trigger("waits", { folder });
    const stands = async (wanted: Record<string, string>) => {
      const now = await states(run);
      return Object.entries(wanted).every(([id, state]) => now[id] === state);
    };
    await until(
      "the timer fired and the own trigger runs",
      30_000,
      async () => linesOf("file.watched") === 1 && stands({ time: "success", file: "deferred" }),
    );

    const before = triggerer();
    if (before === undefined) throw new Error("there is no triggerer");
    process.kill(before, "SIGKILL");
    await until("another triggerer took the trigger over", 30_000, async () => linesOf("file.watched") === 2);
    appendFileSync(join(folder, "file"), "");
    await until("the trigger's event resumed the task", 20_000, () => stands({ file: "success" }));

    await until("the sensor looks now and then", 10_000, () => stands({ look: "up_for_reschedule" }));
    appendFileSync(join(folder, "look"), "");
    await until("a person is asked", 20_000, () =>
      stands({ look: "success", other: "success", gate: "awaiting_input" }),
    );

    const path = `/api/v2/dags/waits/dagRuns/${encodeURIComponent(run)}/taskInstances/gate/-1/hitlDetails`;
    expect(await product.rest.ok("GET", path)).toMatchObject({
      subject: `Use ${join(folder, "file")}?`,
      response_received: false,
    });
    await product.rest.ok("PATCH", path, { chosen_options: ["Approve"] });
    expect((await product.rest.waitForRun("waits", run, 20_000)).state).toBe("success");

    const instances = await product.rest.taskInstances("waits", run);
    expect(instances.filter(({ try_number }) => try_number !== 1)).toEqual([]);
    expect(linesOf("found")).toBe(1);
  },
  180_000,
);

it.skipIf(process.platform !== "linux")(
  "makes an event of each file that a watcher finds, once, with the triggerer killed in between",
  async () => {
    await product.rest.waitForDag("watched");
    await product.rest.setPaused("watched", false);
    const arrivals = async () => {
      const path = "/api/v2/assets/events?name_pattern=watched_inbox&order_by=timestamp";
      const { asset_events } = await product.rest.ok<{ asset_events: { extra: unknown }[] }>("GET", path);
      return asset_events.map(({ extra }) => extra);
    };
    const expected: object[] = [];
    const deliver = async (name: string) => {
      writeFileSync(join(inbox, name), "");
      expected.push({ from_trigger: true, payload: name });
      const isTold = async () => (await arrivals()).length >= expected.length && !existsSync(join(inbox, name));
      await until(`the watcher told of ${name}, and was told that it is stored`, 30_000, isTold);
    };
    await deliver("first");
    await deliver("second");
    const before = triggerer();
    if (before === undefined) throw new Error("there is no triggerer");
    process.kill(before, "SIGKILL");
    await deliver("third");
    expect(await arrivals()).toEqual(expected);
    await until(
      "each event made a run that succeeded",
      30_000,
      async () => (await product.rest.runs("watched")).filter(({ state }) => state === "success").length === 3,
    );
    const { assets } = await product.rest.ok<{ assets: { watchers: object[] }[] }>(
      "GET",
      "/api/v2/assets?name_pattern=watched_inbox",
    );
    expect(assets[0]?.watchers).toMatchObject([{ name: "arrivals", trigger_id: expect.any(Number) }]);
  },
  120_000,
);
