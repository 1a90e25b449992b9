import type { Bench } from "../bench.ts";
import { type Driven, firstStart, handOvers, wall } from "../driver.ts";
import type { Row } from "../row.ts";
import { withSplit } from "../split.ts";

export const b1: Row = {
  id: "B1",
  work: "chain of 40 tasks fibo(10), one at a time",
  async measure(bench) {
    const { driver } = await bench.shared();
    const { rounds } = bench.options;
    const { result: warm, split } = await withSplit(driver.rest, () => driver.rounds("bench_chain40", rounds));
    const own = await driver.rounds("bench_chain40_process", Math.ceil(rounds / 3));
    const ten = await driver.rounds("bench_chain10", rounds);
    const one = await driver.rounds("bench_one", rounds * 4);
    const peer = await peerRounds(bench);
    const floor = bench.handOverFloor;
    return [
      {
        what: "hand-over: end of a task to the start of the next",
        isolation: "warm process",
        unit: "ms",
        samples: warm.flatMap(handOvers),
        bars: [
          { of: "p50", limit: 5 },
          { of: "p99", limit: 25 },
        ],
        floor,
        peer: peer?.ten.flatMap(handOvers),
        note: split,
      },
      {
        what: "chain of 40: first start to last end",
        isolation: "warm process",
        unit: "ms",
        samples: warm.map(wall),
        bars: [{ of: "p50", limit: 300 }],
        floor: 39 * floor,
      },
      {
        what: "chain of 40: first start to last end",
        isolation: "process per task",
        unit: "ms",
        samples: own.map(wall),
        bars: [{ of: "p50", limit: 2500 }],
        floor: 39 * floor + 40 * bench.floors.processStart.p50,
      },
      {
        what: "chain of 10 (bench_chain10): first start to last end",
        isolation: "warm process",
        unit: "ms",
        samples: ten.map(wall),
        bars: [],
        floor: 9 * floor,
        peer: peer?.ten.map(wall),
      },
      {
        what: "REST trigger to the first task's start (bench_one)",
        isolation: "warm process",
        unit: "ms",
        samples: one.map(firstStart),
        bars: [
          { of: "p50", limit: 10 },
          { of: "p99", limit: 50 },
        ],
        floor,
        peer: peer?.one.map(firstStart),
      },
    ];
  },
};

async function peerRounds({ peer }: Bench): Promise<{ ten: Driven[]; one: Driven[] } | undefined> {
  if (peer === null) return undefined;
  return { ten: await peer.rounds("bench_chain10", 3), one: await peer.rounds("bench_one", 5) };
}
