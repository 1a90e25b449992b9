/** `kill -9` of the parent while a task spins: no process survives it, and the next start goes on where it stopped. */
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, describe, expect, it } from "vitest";
import { descendants, isAlive } from "../support/processes.ts";
import { startProduct } from "../support/product.ts";
import { until } from "../support/rest-client.ts";

const dagsFolder = join(import.meta.dirname, "dags");
const dataFolder = mkdtempSync(join(tmpdir(), "updraft-killed-"));
const short = { UPDRAFT__SCHEDULER__LEASE_SECONDS: "3", UPDRAFT__WORKER__HEARTBEAT_SECONDS: "1" };

afterAll(() => rmSync(dataFolder, { recursive: true, force: true, maxRetries: 5 }));

describe.skipIf(process.platform !== "linux")("kill -9 of the parent (reads /proc, so Linux only)", () => {
  it("leaves no orphan, and the next start finishes the run", async () => {
    const first = await startProduct({ dagsFolder, dataFolder, environment: short });
    await first.rest.waitForDag("spins");
    const { dag_run_id } = await first.rest.trigger("spins");
    await until(
      "the task spins",
      30_000,
      async () => (await first.rest.taskInstances("spins", dag_run_id))[0]?.state === "running",
    );
    const parent = first.process.pid ?? 0;
    const children = descendants(parent);
    expect(children.length).toBeGreaterThanOrEqual(3);

    process.kill(parent, "SIGKILL");
    await until(
      "every child is gone",
      10_000,
      async () => children.every((child) => !isAlive(child.pid)),
      () =>
        `alive: ${children
          .filter((child) => isAlive(child.pid))
          .map((child) => child.command)
          .join("; ")}`,
    );

    const second = await startProduct({ dagsFolder, dataFolder, environment: short });
    try {
      expect((await second.rest.waitForRun("spins", dag_run_id, 60_000)).state).toBe("success");
      expect((await second.rest.taskInstances("spins", dag_run_id))[0]?.try_number).toBe(2);
    } finally {
      await second.stop();
    }
  }, 240_000);
});
