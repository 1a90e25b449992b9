import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import type { RestClient } from "../../support/rest-client.ts";
import { install } from "../bench.ts";
import { treeUse } from "../process-tree.ts";
import type { Row } from "../row.ts";
import { dagFile } from "./many-files.ts";

const FILES = 1000;
const SAVES = 5;
/** Longer than the sweep over the folder. */
const UNCHANGED_MS = 35_000;

export const b12: Row = {
  id: "B12",
  work: "1,000 DAG files: read from cold, one saved, none changed",
  async measure() {
    const folder = mkdtempSync(join(tmpdir(), "updraft-files-"));
    const dags = join(folder, "dags");
    mkdirSync(dags);
    for (let n = 0; n < FILES; n++) writeFileSync(join(dags, `file_${n}.ts`), dagFile([`file_${n}`]));
    const begun = Date.now();
    const { product, driver, stop } = await install(dags);
    try {
      await whenAllKnown(driver.rest);
      const cold = (Date.now() - begun) / 1000;
      await sleep(2000);
      const seen: number[] = [];
      for (let n = 0; n < SAVES; n++) seen.push(await saveAndSee(driver.rest, join(dags, `file_${n * 7}.ts`), n));
      const before = treeUse(product.process.pid ?? 0);
      await sleep(UNCHANGED_MS);
      const spent = treeUse(product.process.pid ?? 0).cpuSeconds - before.cpuSeconds;
      const common = { isolation: "no task", floor: null } as const;
      return [
        { ...common, what: "start to all files read", unit: "s", samples: [cold], bars: [{ of: "p50", limit: 10 }] },
        { ...common, what: "one saved to seen by REST", unit: "ms", samples: seen, bars: [{ of: "max", limit: 1000 }] },
        {
          ...common,
          what: "share of a core while none changes, a sweep included",
          unit: "%",
          samples: [(100_000 * spent) / UNCHANGED_MS],
          bars: [{ of: "p50", limit: 1 }],
        },
      ];
    } finally {
      await stop();
      rmSync(folder, { recursive: true, force: true });
    }
  },
};

async function whenAllKnown(rest: RestClient): Promise<void> {
  for (;;) {
    const { total_entries } = await rest.ok<{ total_entries: number }>("GET", "/api/v2/dags?limit=1");
    if (total_entries >= FILES) return;
    await sleep(50);
  }
}

async function saveAndSee(rest: RestClient, path: string, n: number): Promise<number> {
  const id = `saved_${n}`;
  writeFileSync(path, dagFile([id]));
  const saved = performance.now();
  while ((await rest.call("GET", `/api/v2/dags/${id}`)).status !== 200) await sleep(10);
  return performance.now() - saved;
}
