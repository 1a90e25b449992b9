import type { Driver } from "../driver.ts";
import type { Figure, Row } from "../row.ts";

interface Shape {
  readonly what: string;
  readonly prefix: string;
  readonly dags: number;
}

const SHAPES: readonly Shape[] = [
  { what: "100 DAGs of 10 in a line", prefix: "bench_line10_", dags: 100 },
  { what: "10 DAGs of 100 in a line", prefix: "bench_line100_", dags: 10 },
  { what: "100 DAGs that are binary trees of 10", prefix: "bench_tree10_", dags: 100 },
];
const TASKS = 1000;

export const b3: Row = {
  id: "B3",
  work: "three shapes of 1,000 tasks that do nothing: trigger to last end",
  async measure(bench) {
    const { driver } = await bench.shared();
    const { commit, queueJob } = bench.floors;
    const figures: Figure[] = [];
    for (const shape of SHAPES) {
      const samples = await walls(driver, shape, Math.min(3, bench.options.rounds));
      figures.push({
        what: shape.what,
        isolation: "warm process",
        unit: "ms",
        samples,
        bars: [{ of: "p50", limit: 3000 }],
        floor: TASKS * (commit.p50 + queueJob.p50),
      });
    }
    return figures;
  },
};

async function walls(driver: Driver, { prefix, dags }: Shape, rounds: number): Promise<number[]> {
  const ids = Array.from({ length: dags }, (_, number) => `${prefix}${number}`);
  for (const id of ids) await driver.rest.waitForDag(id);
  await driver.burst(ids);
  const samples: number[] = [];
  for (let n = 0; n < rounds; n++) {
    const { endedAt, triggeredAt } = await driver.burst(ids);
    samples.push(endedAt - triggeredAt);
  }
  return samples;
}
