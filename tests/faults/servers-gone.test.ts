/** The product ends though its database and its queue are gone, and with whoever started it. */
import { once } from "node:events";
import { join } from "node:path";
import { expect, it } from "vitest";
import { install } from "../bench/bench.ts";

const dagsFolder = join(import.meta.dirname, "dags");

it("ends within bounds when its servers ended before it", async () => {
  const installation = await install(dagsFolder);
  const { product } = installation;
  await installation.stopServers();
  const begun = Date.now();
  const exit = once(product.process, "exit");
  product.process.kill("SIGINT");
  const [code] = await exit;
  expect({ code, output: product.output().slice(-3000) }).toMatchObject({ code: 0 });
  expect(Date.now() - begun).toBeLessThan(25_000);
  await installation.stop();
}, 60_000);

it("ends when the process that started it is gone", async () => {
  const installation = await install(dagsFolder);
  const { process: child } = installation.product;
  const exit = once(child, "exit");
  child.disconnect();
  expect((await exit)[0]).toBe(0);
  await installation.stop();
}, 60_000);
