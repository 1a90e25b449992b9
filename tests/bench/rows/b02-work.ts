import { wall } from "../driver.ts";
import type { Row } from "../row.ts";

const TASKS = 10;
const TIMES = 5;

function fibo(n: number): number {
  return n < 2 ? n : fibo(n - 1) + fibo(n - 2);
}

export const b2: Row = {
  id: "B2",
  work: "chain of 10 fibo(33): what is added to each task",
  async measure(bench) {
    const { driver } = await bench.shared();
    const driven = await driver.rounds("bench_chain10_fibo33", bench.options.rounds);
    const pure = pureWorkMs();
    return [
      {
        what: "overhead of a task: wall time less pure work, by tasks",
        isolation: "warm process",
        unit: "ms",
        samples: driven.map((run) => wall(run) / TASKS - pure),
        bars: [{ of: "p50", limit: 15 }],
        floor: bench.handOverFloor,
        note: `fibo(33) alone takes ${pure.toFixed(1)} ms`,
      },
    ];
  },
};

/** The median of what the same function takes here and now. */
function pureWorkMs(): number {
  const times = Array.from({ length: TIMES }, () => {
    const begun = performance.now();
    fibo(33);
    return performance.now() - begun;
  }).sort((left, right) => left - right);
  return times[Math.floor(TIMES / 2)] ?? Number.NaN;
}
