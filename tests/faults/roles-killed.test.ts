/**
 * `--separate`: kill -9 of each role while a DAG runs every second. Afterwards every tick is a finished run or a recorded
 * skipped tick, and no try ran twice to the end.
 */
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { descendants } from "../support/processes.ts";
import { type Product, startProduct } from "../support/product.ts";
import { until } from "../support/rest-client.ts";

let product: Product;

beforeAll(async () => {
  product = await startProduct({
    dagsFolder: join(import.meta.dirname, "dags"),
    separate: true,
    environment: { UPDRAFT__SCHEDULER__LEASE_SECONDS: "3", UPDRAFT__WORKER__HEARTBEAT_SECONDS: "1" },
  });
  await product.rest.waitForDag("beats");
}, 180_000);

afterAll(() => product?.stop(), 60_000);

/** The process of a role, found by its entry file. */
function roleProcess(role: string): number {
  const found = descendants(product.process.pid ?? 0).find((one) => one.command.includes(`apps/${role}/src/main.ts`));
  if (found === undefined) throw new Error(`no process of ${role} below ${product.process.pid}`);
  return found.pid;
}

interface SkippedTicks {
  readonly first_tick: string;
  readonly last_tick: string;
  readonly count: number;
  readonly cause: string;
}

async function unaccountedTicks(): Promise<string[]> {
  const runs = await product.rest.runs("beats", "limit=100&order_by=-run_after&run_type=scheduled");
  const skipped = (await product.rest.ok<{ skipped_ticks: SkippedTicks[] }>("GET", "/ui/dags/beats/skipped_ticks"))
    .skipped_ticks;
  const ticks = new Set(runs.map((run) => Date.parse(run.logical_date ?? "")));
  const missing: string[] = [];
  for (let tick = Math.min(...ticks); tick <= Math.max(...ticks); tick += 1000) {
    const recorded = skipped.some((one) => tick >= Date.parse(one.first_tick) && tick <= Date.parse(one.last_tick));
    if (!ticks.has(tick) && !recorded) missing.push(new Date(tick).toISOString());
  }
  return missing;
}

describe.skipIf(process.platform !== "linux")("kill -9 of a role (reads /proc, so Linux only)", () => {
  it.each(["worker", "scheduler", "api-server", "dag-processor"])(
    "%s: every tick is accounted for",
    async (role) => {
      await sleep(2000);
      const before = roleProcess(role);
      process.kill(before, "SIGKILL");
      await until(`a new ${role} runs`, 20_000, async () => {
        try {
          return roleProcess(role) !== before;
        } catch {
          return false;
        }
      });
      await product.rest.waitUntilUp(20_000);
      const killedAt = Date.now();
      await until("runs made after the kill end well", 40_000, async () => {
        const runs = await product.rest.runs("beats").catch(() => []);
        return runs.filter((run) => Date.parse(run.run_after) > killedAt && run.state === "success").length >= 3;
      });
      const old = (run: { run_after: string }) => Date.parse(run.run_after) < killedAt;
      await until("runs of before the kill have ended", 30_000, async () =>
        (await product.rest.runs("beats"))
          .filter(old)
          .every((run) => run.state === "success" || run.state === "failed"),
      );
      expect((await product.rest.runs("beats")).filter((run) => run.state === "failed")).toEqual([]);
      expect(await unaccountedTicks()).toEqual([]);
    },
    180_000,
  );
});
