import { setTimeout as sleep } from "node:timers/promises";
import type { Driver } from "../driver.ts";
import type { Row } from "../row.ts";

const PERIOD_MS = 5000;

export const b9: Row = {
  id: "B9",
  work: "tick of a 5-second schedule to its task's start",
  async measure(bench) {
    const { driver } = await bench.shared();
    const { ticks } = bench.options;
    const { delays, missed } = await tickDelays(driver, ticks);
    const peer = bench.peer === null ? undefined : (await tickDelays(bench.peer, Math.min(ticks, 12))).delays;
    return [
      {
        what: `tick to start, ${ticks} ticks`,
        isolation: "warm process",
        unit: "ms",
        samples: delays,
        bars: [
          { of: "p50", limit: 10 },
          { of: "p99", limit: 50 },
        ],
        floor: bench.handOverFloor,
        peer,
        note: `${missed} ticks missed; mean of the first half ${mean(half(delays, 0)).toFixed(1)} ms, of the second ${mean(half(delays, 1)).toFixed(1)} ms`,
      },
    ];
  },
};

async function tickDelays(driver: Driver, ticks: number): Promise<{ delays: number[]; missed: number }> {
  const dagId = "bench_tick5s";
  await driver.rest.waitForDag(dagId);
  const begun = Date.now();
  await driver.rest.setPaused(dagId, false);
  await sleep(ticks * PERIOD_MS + PERIOD_MS / 2);
  await driver.rest.setPaused(dagId, true);
  await sleep(2000);
  const path = `/api/v2/dags/${dagId}/dagRuns?run_after_gte=${new Date(begun).toISOString()}&order_by=run_after&limit=100`;
  const runs: { dag_run_id: string; run_after: string }[] = [];
  for (;;) {
    const page = await driver.rest.ok<{ dag_runs: typeof runs }>("GET", `${path}&offset=${runs.length}`);
    runs.push(...page.dag_runs);
    if (page.dag_runs.length < 100) break;
  }
  const delays: number[] = [];
  for (const { dag_run_id, run_after } of runs) {
    const [instance] = await driver.instances(dagId, dag_run_id);
    if (instance !== undefined && instance.start > 0) delays.push(instance.start - Date.parse(run_after));
  }
  const due = runs.map(({ run_after }) => Date.parse(run_after));
  const span = ((due.at(-1) ?? 0) - (due[0] ?? 0)) / PERIOD_MS + 1;
  return { delays, missed: Math.max(ticks, span) - delays.length };
}

function half(values: readonly number[], which: 0 | 1): readonly number[] {
  const middle = Math.ceil(values.length / 2);
  return which === 0 ? values.slice(0, middle) : values.slice(middle);
}

function mean(values: readonly number[]): number {
  return values.reduce((sum, value) => sum + value, 0) / Math.max(1, values.length);
}
