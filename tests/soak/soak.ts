/**
 * The flagship over some time: no missed tick, no lost or doubled sample, no growing memory. What should be in Cassandra
 * is worked out from the raw Kafka records by a parser that is not ours.
 */
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { descendants } from "../support/processes.ts";
import { PROJECT, type Product, startProduct } from "../support/product.ts";
import { until } from "../support/rest-client.ts";
import { type Exporter, startExporter } from "./exporters.ts";
import { isOfTheScrape, metricOf, recordsOf, referenceRows, storedRows } from "./stored-rows.ts";

const DAG = "prometheus_to_kafka_and_cassandra";
const TICK_MS = 5000;
const TOPICS = ["text", "openmetrics", "updraft", "gone"].map((job) => `prometheus_metrics_${job}`);

export interface SoakReport {
  readonly ticks: number;
  /** Ticks that are neither a run nor a recorded skipped tick. */
  readonly unaccounted: readonly string[];
  readonly failedRuns: readonly string[];
  readonly records: number;
  readonly expected: number;
  readonly stored: number;
  readonly missing: readonly string[];
  readonly surplus: readonly string[];
  /** Rows named `up`: one for each record. */
  readonly ups: number;
  /** Resident memory of the product's own Node processes, in MB, by time. */
  readonly memory: readonly number[];
}

export interface Soak {
  readonly product: Product;
  /** Waits until nothing is under way any more and compares. */
  settle(): Promise<SoakReport>;
  stop(): Promise<void>;
}

export async function startSoak(options: { readonly separate?: boolean } = {}): Promise<Soak> {
  const folder = mkdtempSync(join(tmpdir(), "updraft-soak-"));
  const exporters = [await startExporter("text"), await startExporter("openmetrics")];
  const configuration = join(folder, "prometheus.yml");
  const product = await startProduct({
    dagsFolder: join(PROJECT, "dags"),
    pipeline: true,
    ...options,
    environment: { AIRFLOW_VAR_PROMETHEUS_CONFIG: configuration },
    beforeStart: (url) => writeFileSync(configuration, configurationOf(exporters, new URL(url).host)),
  });
  await product.rest.waitForDag(DAG);
  const memory: number[] = [];
  const sampling = setInterval(() => memory.push(residentMegabytes(product.process.pid ?? 0)), TICK_MS);
  return {
    product,
    settle: () => settle(product, memory),
    async stop() {
      clearInterval(sampling);
      await product.stop();
      await Promise.all(exporters.map((exporter) => exporter.stop()));
      rmSync(folder, { recursive: true, force: true });
    },
  };
}

/** One target is down on purpose: that is a fact, not a failed task. */
function configurationOf([text, openmetrics]: readonly Exporter[], own: string): string {
  const job = (name: string, target: string | undefined) =>
    `  - job_name: ${name}\n    static_configs:\n      - targets: ["${target}"]\n`;
  const jobs = [
    job("text", text?.address),
    job("openmetrics", openmetrics?.address),
    job("updraft", own),
    job("gone", "127.0.0.1:9"),
  ];
  return `global:\n  scrape_interval: 5s\n  scrape_timeout: 3s\nscrape_configs:\n${jobs.join("")}`;
}

export async function soakFor(soak: Soak, ms: number): Promise<void> {
  await sleep(ms);
  await soak.product.rest.setPaused(DAG, true);
}

async function settle(product: Product, memory: readonly number[]): Promise<SoakReport> {
  const { rest, ports } = product;
  const runs = () => allRuns(product);
  const isOver = ({ state }: { state: string }) => state === "success" || state === "failed";
  await until("every run has ended", 120_000, async () => (await runs()).every(isOver));
  const all = await runs();
  const { skipped_ticks } = await rest.ok<{ skipped_ticks: SkippedTicks[] }>("GET", `/ui/dags/${DAG}/skipped_ticks`);
  const records = await recordsOf(ports.kafka, TOPICS);
  const expected = referenceRows(records);
  const stored = await storedRows(ports.cassandra);
  const samples = stored.filter((row) => !isOfTheScrape(row));
  return {
    ticks: all.length,
    unaccounted: unaccountedTicks(all, skipped_ticks),
    failedRuns: all.filter(({ state }) => state === "failed").map(({ dag_run_id }) => dag_run_id),
    records: records.length,
    expected: expected.length,
    stored: samples.length,
    missing: difference(expected, samples).slice(0, 5),
    surplus: difference(samples, expected).slice(0, 5),
    ups: stored.filter((row) => metricOf(row) === "up").length,
    memory,
  };
}

interface SkippedTicks {
  readonly first_tick: string;
  readonly last_tick: string;
}

async function allRuns({ rest }: Product) {
  const found = [];
  for (let offset = 0; ; offset += 100) {
    const page = await rest.runs(DAG, `limit=100&offset=${offset}&order_by=run_after&run_type=scheduled`);
    found.push(...page);
    if (page.length < 100) return found;
  }
}

function unaccountedTicks(
  runs: readonly { logical_date: string | null }[],
  skipped: readonly SkippedTicks[],
): string[] {
  const ticks = new Set(runs.map(({ logical_date }) => Date.parse(logical_date ?? "")));
  const missing: string[] = [];
  for (let tick = Math.min(...ticks); tick <= Math.max(...ticks); tick += TICK_MS) {
    const recorded = skipped.some((one) => tick >= Date.parse(one.first_tick) && tick <= Date.parse(one.last_tick));
    if (!ticks.has(tick) && !recorded) missing.push(new Date(tick).toISOString());
  }
  return missing;
}

/** What `left` holds more often than `right`. */
function difference(left: readonly string[], right: readonly string[]): string[] {
  const counts = new Map<string, number>();
  for (const row of right) counts.set(row, (counts.get(row) ?? 0) + 1);
  return left.filter((row) => {
    const count = counts.get(row) ?? 0;
    counts.set(row, count - 1);
    return count <= 0;
  });
}

function residentMegabytes(pid: number): number {
  const node = descendants(pid).filter(({ command }) => command.includes(".ts"));
  const pages = [pid, ...node.map((one) => one.pid)].map(readResident);
  return Math.round(pages.reduce((sum, kilobytes) => sum + kilobytes, 0) / 1024);
}

function readResident(pid: number): number {
  try {
    return Number(/VmRSS:\s+(\d+)/.exec(readFileSync(`/proc/${pid}/status`, "utf8"))?.[1] ?? 0);
  } catch {
    return 0;
  }
}

export function printReport(report: SoakReport): void {
  const { memory } = report;
  const third = Math.max(1, Math.floor(memory.length / 3));
  const median = (values: readonly number[]) => values.toSorted((a, b) => a - b)[Math.floor(values.length / 2)] ?? 0;
  console.log(
    `ticks ${report.ticks}, unaccounted ${report.unaccounted.length}, failed runs ${report.failedRuns.length}`,
  );
  console.log(`Kafka records ${report.records}, rows named up ${report.ups}`);
  console.log(
    `samples by the reference parser ${report.expected}, in Cassandra ${report.stored}, missing ${report.missing.length}, surplus ${report.surplus.length}`,
  );
  console.log(
    `memory of the Node processes: ${median(memory.slice(0, third))} MB in the first third, ${median(memory.slice(-third))} MB in the last`,
  );
}
