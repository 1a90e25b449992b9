import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { install } from "../bench.ts";
import { treeUse } from "../process-tree.ts";
import type { Figure, Row } from "../row.ts";
import { dagFile } from "./many-files.ts";

const SIZES = [0, 100, 1000];
const DAGS_OF_A_FILE = 100;
const SETTLE_MS = 15_000;

export const b11: Row = {
  id: "B11",
  work: "idle: memory and processor of the whole standalone tree, without the servers",
  async measure(bench) {
    const figures: Figure[] = [];
    for (const size of SIZES) figures.push(...(await idle(size, bench.options.idleSeconds)));
    return figures;
  },
};

async function idle(dags: number, seconds: number): Promise<Figure[]> {
  const folder = mkdtempSync(join(tmpdir(), "updraft-idle-"));
  mkdirSync(join(folder, "dags"));
  for (let first = 0; first < dags; first += DAGS_OF_A_FILE) {
    const ids = Array.from({ length: Math.min(DAGS_OF_A_FILE, dags - first) }, (_, n) => `idle_${first + n}`);
    writeFileSync(join(folder, "dags", `idle_${first}.ts`), dagFile(ids));
  }
  const installation = await install(join(folder, "dags"));
  try {
    if (dags > 0) await installation.driver.rest.waitForDag(`idle_${dags - 1}`, 120_000);
    await sleep(SETTLE_MS);
    const pid = installation.product.process.pid ?? 0;
    const before = treeUse(pid);
    await sleep(seconds * 1000);
    const after = treeUse(pid);
    const note = `${after.processes} processes; grew by ${(after.pssMb - before.pssMb).toFixed(1)} MB in ${seconds} s`;
    const common = { isolation: "warm process", floor: null } as const;
    return [
      {
        ...common,
        what: `PSS with ${dags} DAGs`,
        unit: "MB",
        samples: [after.pssMb],
        bars: [{ of: "p50", limit: 200 }],
        note,
      },
      {
        ...common,
        what: `share of a core with ${dags} DAGs`,
        unit: "%",
        samples: [(100 * (after.cpuSeconds - before.cpuSeconds)) / seconds],
        bars: [{ of: "p50", limit: 1 }],
      },
    ];
  } finally {
    await installation.stop();
    rmSync(folder, { recursive: true, force: true });
  }
}
