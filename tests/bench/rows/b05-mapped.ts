import type { Bench } from "../bench.ts";
import { type Driven, wall } from "../driver.ts";
import { treeUse } from "../process-tree.ts";
import type { Figure, Row } from "../row.ts";

export const b5: Row = {
  id: "B5",
  work: "1 -> 1,000 mapped no-ops -> 1; also 10,000",
  async measure(bench) {
    return [...(await fan(bench, 1000, 3000)), ...(await fan(bench, 10_000, 30_000))];
  },
};

async function fan(bench: Bench, width: number, limit: number): Promise<Figure[]> {
  const { driver, product } = await bench.shared();
  const { commit, queueJob } = bench.floors;
  await driver.warmUp("bench_one");
  const pid = product.process.pid ?? 0;
  const before = treeUse(pid);
  await driver.rest.waitForDag(`bench_map${width}`);
  const rounds: Driven[] = [];
  const count = width > 1000 ? 1 : bench.options.rounds;
  while (rounds.length < count) rounds.push(await driver.run(`bench_map${width}`));
  const after = treeUse(pid);
  return [
    {
      what: `${width} mapped no-ops (bench_map${width}): first start to last end`,
      isolation: "warm process",
      unit: "ms",
      samples: rounds.map(wall),
      bars: [{ of: "p50", limit }],
      floor: width * (commit.p50 + queueJob.p50),
      note: `the tree's PSS went from ${before.pssMb.toFixed(0)} to ${after.pssMb.toFixed(0)} MB`,
    },
  ];
}
