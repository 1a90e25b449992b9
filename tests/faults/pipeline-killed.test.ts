/**
 * `--separate`: kill -9 of a role or a server, one after the other, while the flagship runs every five seconds. Afterwards
 * every tick is accounted for, and Cassandra holds every sample that was in Kafka, once.
 */
import { setTimeout as sleep } from "node:timers/promises";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { printReport, type Soak, soakFor, startSoak } from "../soak/soak.ts";
import { descendants, isAlive } from "../support/processes.ts";
import { until } from "../support/rest-client.ts";

const VICTIMS = {
  worker: "apps/worker/src/main.ts",
  scheduler: "apps/scheduler/src/main.ts",
  "api-server": "apps/api-server/src/main.ts",
  Redis: "valkey-server",
  "the broker": "kafka.Kafka",
  Cassandra: "CassandraDaemon",
} as const;
/** Long enough for a tick to meet the gap, and for the next one to come after it. */
const BETWEEN_MS = 9000;

describe.skipIf(process.platform !== "linux")("kill -9 in the pipeline (reads /proc, so Linux only)", () => {
  let soak: Soak;
  beforeAll(async () => {
    soak = await startSoak({ separate: true });
    await until("three runs are green", 120_000, async () => {
      const runs = await soak.product.rest.runs("prometheus_to_kafka_and_cassandra");
      return runs.filter(({ state }) => state === "success").length >= 3;
    });
  }, 300_000);
  afterAll(() => soak?.stop(), 60_000);

  function victim(name: keyof typeof VICTIMS): number {
    const all = descendants(soak.product.process.pid ?? 0);
    const found = all.find(({ command, state }) => command.includes(VICTIMS[name]) && state !== "Z");
    if (found === undefined) throw new Error(`no process of ${name}`);
    return found.pid;
  }

  it("loses and doubles nothing, and accounts for every tick", async () => {
    for (const name of Object.keys(VICTIMS) as (keyof typeof VICTIMS)[]) {
      const pid = victim(name);
      process.kill(pid, "SIGKILL");
      await until(`${name} is started again`, 60_000, async () => {
        try {
          return !isAlive(pid) && victim(name) !== pid;
        } catch {
          return false;
        }
      });
      await sleep(BETWEEN_MS);
    }
    await soak.product.rest.waitUntilUp(30_000);
    await soakFor(soak, 2 * BETWEEN_MS);
    const report = await soak.settle();
    printReport(report);
    expect(report).toMatchObject({ unaccounted: [], missing: [], surplus: [] });
    expect(report.ups).toBe(report.records);
    expect(report.failedRuns).toEqual([]);
  }, 400_000);
});
