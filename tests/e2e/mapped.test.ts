/** A mapped task of a thousand instances in the UI, in a real Chromium: one cell, one line, pages of instances. */
import { join } from "node:path";
import type { Browser, Page } from "playwright-core";
import { afterAll, beforeAll, expect, test } from "vitest";
import { openBrowser } from "../support/browser.ts";
import { type Product, startProduct } from "../support/product.ts";

let product: Product;
let browser: Browser;
let page: Page;
let runPath: string;

beforeAll(async () => {
  const dagsFolder = join(import.meta.dirname, "dags");
  [product, browser] = await Promise.all([startProduct({ dagsFolder }), openBrowser()]);
  await product.rest.waitForDag("e2e_mapped");
  await product.rest.ok("PATCH", "/api/v2/dags/e2e_mapped", { is_paused: false });
  const { dag_run_id } = await product.rest.trigger("e2e_mapped");
  runPath = `/dags/e2e_mapped/runs/${encodeURIComponent(dag_run_id)}`;
  page = await browser.newPage({ viewport: { width: 1280, height: 800 } });
  page.setDefaultTimeout(15_000);
  await page.goto(`${product.url}/dags`);
  await page.getByLabel("User name").fill("airflow");
  await page.getByRole("textbox", { name: "Password" }).fill("airflow");
  await page.getByRole("button", { name: "Sign in" }).click();
  await page.getByRole("link", { name: "e2e_mapped" }).first().waitFor();
}, 180_000);

afterAll(async () => {
  await browser?.close();
  await product?.stop();
}, 60_000);

test("the grid has one cell for all instances, with their number in each state", async () => {
  await page.goto(`${product.url}/dags/e2e_mapped`);
  const cell = page.locator('[role="gridcell"][aria-label^="look:"]');
  await cell.waitFor();
  await page.getByText("look [ ]").waitFor();
  expect(await cell.count()).toBe(1);
  await cell.hover();
  await expect.poll(() => cell.getAttribute("title")).toMatch(/\d+ (no status|scheduled)/);
});

test("the page of the run has one line for the task, which leads to pages of its instances", async () => {
  await page.goto(product.url + runPath);
  const link = page.getByRole("link", { name: "look [ ]" });
  await link.waitFor();
  await page.getByRole("link", { name: "prepare" }).waitFor();
  expect(await page.getByRole("row").count()).toBeLessThan(10);
  await link.click();
  await page.getByText("1000 task instances").waitFor();
  await page.getByRole("link", { name: "look [0]" }).waitFor();
  expect(await page.getByRole("row").count()).toBe(101);
  await page.getByRole("button", { name: "next page" }).click();
  await page.getByRole("link", { name: "look [100]" }).waitFor();
});
