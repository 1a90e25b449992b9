import { setTimeout as sleep } from "node:timers/promises";
import type { Driver } from "../driver.ts";

const SETTLE_MS = 3000;

/** Measures while a run of another DAG is under way, which is then ended. */
export async function beside<T>(driver: Driver, dagId: string, measure: () => Promise<T>): Promise<T> {
  await driver.rest.waitForDag(dagId);
  const { runId } = await driver.trigger(dagId);
  await sleep(SETTLE_MS);
  try {
    return await measure();
  } finally {
    await driver.rest.ok("PATCH", `/api/v2/dags/${dagId}/dagRuns/${encodeURIComponent(runId)}`, { state: "failed" });
  }
}
