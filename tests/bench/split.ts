/** Where the time between two tasks goes, by the metrics that the product shows to everybody. */
import type { RestClient } from "../support/rest-client.ts";

const PARTS = [
  ["queue", "airflow_worker_message_age_seconds"],
  ["claim", "airflow_worker_claim_seconds"],
  ["claim until handler", "airflow_task_start_delay_seconds"],
  ["claim until end", "airflow_task_duration_seconds"],
  ["report (decide and store)", "airflow_worker_report_seconds"],
] as const;

interface Total {
  readonly seconds: number;
  readonly count: number;
}

/** Means over all tasks of `work`, as a line of text. */
export async function withSplit<T>(rest: RestClient, work: () => Promise<T>): Promise<{ result: T; split: string }> {
  const before = await totals(rest);
  const result = await work();
  const after = await totals(rest);
  const parts = PARTS.map(([part], index) => {
    const seconds = (after[index]?.seconds ?? 0) - (before[index]?.seconds ?? 0);
    const count = (after[index]?.count ?? 0) - (before[index]?.count ?? 0);
    return `${part} ${((1000 * seconds) / count).toFixed(1)}`;
  });
  return { result, split: `means by the metrics, ms: ${parts.join(", ")}` };
}

async function totals(rest: RestClient): Promise<Total[]> {
  const text = await rest.ok<string>("GET", "/metrics");
  return PARTS.map(([, name]) => ({ seconds: sumOf(text, `${name}_sum`), count: sumOf(text, `${name}_count`) }));
}

/** Over all labels. */
function sumOf(text: string, name: string): number {
  const lines = text.split("\n").filter((line) => line.startsWith(`${name}{`) || line.startsWith(`${name} `));
  return lines.reduce((sum, line) => sum + Number(line.split(" ").at(-1)), 0);
}
