import type { Driver } from "../driver.ts";
import { wall } from "../driver.ts";
import type { Row } from "../row.ts";

const RUNS = 50;

export const b4: Row = {
  id: "B4",
  work: "fan-out of 100; 50 runs triggered at once",
  async measure(bench) {
    const { driver } = await bench.shared();
    const { rounds } = bench.options;
    const { commit, queueJob } = bench.floors;
    const one = commit.p50 + queueJob.p50;
    const fans = await driver.rounds("bench_fan100", rounds);
    await driver.warmUp("bench_one");
    const bursts = await burstWalls(driver, rounds);
    const peer = bench.peer;
    return [
      {
        what: "fan-out of 100 (bench_fan100): first start to last end",
        isolation: "warm process",
        unit: "ms",
        samples: fans.map(wall),
        bars: [{ of: "p50", limit: 400 }],
        floor: 100 * one,
        peer: peer === null ? undefined : (await peer.rounds("bench_fan100", 1)).map(wall),
      },
      {
        what: "50 runs at once (bench_one): first call to last end",
        isolation: "warm process",
        unit: "ms",
        samples: bursts,
        bars: [{ of: "p50", limit: 400 }],
        floor: RUNS * one,
        peer: peer === null ? undefined : await burstWalls(peer, 1),
      },
    ];
  },
};

async function burstWalls(driver: Driver, rounds: number): Promise<number[]> {
  const ids = Array.from({ length: RUNS }, () => "bench_one");
  const walls: number[] = [];
  for (let n = 0; n < rounds; n++) {
    const { endedAt, triggeredAt } = await driver.burst(ids);
    walls.push(endedAt - triggeredAt);
  }
  return walls;
}
