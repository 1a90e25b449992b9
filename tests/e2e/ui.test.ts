/** The UI in a real Chromium against the running product: what a user does in the first five minutes. */
import { rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import type { Browser, Page } from "playwright-core";
import { afterAll, beforeAll, expect, test } from "vitest";
import { openBrowser } from "../support/browser.ts";
import { type Product, startProduct } from "../support/product.ts";

let product: Product;
let browser: Browser;
let page: Page;
const failures: string[] = [];

beforeAll(async () => {
  [product, browser] = await Promise.all([
    startProduct({ dagsFolder: join(import.meta.dirname, "dags") }),
    openBrowser(),
  ]);
  await product.rest.waitForDag("e2e_talks");
  page = await browser.newPage({ viewport: { width: 1280, height: 800 } });
  page.setDefaultTimeout(15_000);
  page.on("pageerror", (error) => failures.push(String(error)));
}, 180_000);

afterAll(async () => {
  await browser?.close();
  await product?.stop();
}, 60_000);

test("a stranger is asked to sign in, a wrong password is refused, the right one leads on", async () => {
  await page.goto(`${product.url}/dags`);
  await page.getByLabel("User name").fill("airflow");
  await page.getByRole("textbox", { name: "Password" }).fill("wrong");
  await page.getByRole("button", { name: "Sign in" }).click();
  await page.getByText(/password is wrong/).waitFor();
  await page.getByRole("textbox", { name: "Password" }).fill("airflow");
  await page.getByRole("button", { name: "Sign in" }).click();
  await page.getByRole("link", { name: "e2e_talks" }).first().waitFor();
});

test("the toggle unpauses, and the server knows it", async () => {
  const toggle = page.getByRole("row").filter({ hasText: "e2e_talks" }).getByRole("switch");
  expect(await toggle.isChecked()).toBe(false);
  await toggle.press("Space");
  await expect
    .poll(async () => (await product.rest.ok<{ is_paused: boolean }>("GET", "/api/v2/dags/e2e_talks")).is_paused)
    .toBe(false);
  await expect.poll(() => toggle.isChecked()).toBe(true);
});

test("a run started elsewhere appears live, without a reload", async () => {
  await page.goto(`${product.url}/dags/e2e_talks`);
  await page.getByText("talk", { exact: true }).first().waitFor();
  const { dag_run_id } = await product.rest.trigger("e2e_talks", { greeting: "hi" });
  await page.locator(`[role="columnheader"][title*="${dag_run_id}"]`).waitFor();
});

test("the log is shown while the task runs, and grows by itself", async () => {
  const [run] = await product.rest.runs("e2e_talks");
  const path = `/dags/e2e_talks/runs/${encodeURIComponent(run?.dag_run_id ?? "")}/tasks/talk`;
  await page.goto(product.url + path);
  await page.getByText("first line").waitFor();
  expect(await page.getByText("last line").count()).toBe(0);
  await page.getByText(/last line,/).waitFor();
  await page.getByText('{"greeting":"hi"}').waitFor();
  await page.getByText("success").first().waitFor();
});

test("a broken file shows as an import error, and goes when it is mended", async () => {
  const file = join(import.meta.dirname, "dags", "e2e_broken.ts");
  try {
    await page.goto(`${product.url}/dags`);
    writeFileSync(file, "const broken = ;\n");
    await page
      .getByText(/import error/i)
      .first()
      .waitFor();
  } finally {
    rmSync(file, { force: true });
  }
  await expect.poll(() => page.getByText(/1 import error/i).count(), { timeout: 15_000 }).toBe(0);
});

test("every page reads in the dark, and no page threw", async () => {
  const dark = await browser.newPage({ colorScheme: "dark", storageState: await page.context().storageState() });
  for (const path of [
    "/dags",
    "/dags/e2e_talks",
    "/dags/e2e_talks/graph",
    "/dags/e2e_talks/runs",
    "/dags/e2e_talks/code",
  ]) {
    await dark.goto(product.url + path);
    await dark.getByText("e2e_talks").first().waitFor();
    const [background, text] = await dark.evaluate(() => {
      // Runs in the page, which knows what this file does not.
      const { document, getComputedStyle } = globalThis as unknown as PageGlobals;
      const style = getComputedStyle(document.body);
      return [style.backgroundColor, style.color];
    });
    expect(brightness(background)).toBeLessThan(80);
    expect(brightness(text)).toBeGreaterThan(150);
  }
  await dark.close();
  expect(failures).toEqual([]);
});

/** 0 to 255 of `rgb(…)`. */
function brightness(colour: string): number {
  const [red = 0, green = 0, blue = 0] = (colour.match(/[\d.]+/g) ?? []).map(Number);
  return (red * 299 + green * 587 + blue * 114) / 1000;
}

interface PageGlobals {
  readonly document: { readonly body: object };
  readonly getComputedStyle: (element: object) => { readonly backgroundColor: string; readonly color: string };
}
