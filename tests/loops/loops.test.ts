/** A loop as people meet it: a file, a run, its tries and its result. */
import { join } from "node:path";
import { afterAll, beforeAll, expect, it } from "vitest";
import { type Product, startProduct } from "../support/product.ts";

let product: Product;

beforeAll(async () => {
  product = await startProduct({ dagsFolder: join(import.meta.dirname, "dags") });
  await product.rest.waitForDag("refine");
}, 180_000);

afterAll(async () => {
  await product?.stop();
}, 60_000);

it("runs its group until the condition holds, and hands each iteration the result of the one before", async () => {
  const { dag_run_id: run } = await product.rest.trigger("refine");
  expect((await product.rest.waitForRun("refine", run)).state).toBe("success");
  const instances = await product.rest.taskInstances("refine", run);
  const tries = Object.fromEntries(instances.map(({ task_id, try_number }) => [task_id, try_number]));
  expect(tries).toEqual({ "root.improve": 3, "root.measure": 3, "root.__loop_gate": 3, tell: 1 });
  const path = `/api/v2/dags/refine/dagRuns/${encodeURIComponent(run)}/taskInstances/tell/xcomEntries/return_value`;
  const { value } = await product.rest.ok<{ value: string | number }>("GET", path);
  expect(Number(value)).toBeCloseTo(Math.SQRT2, 2);
});
