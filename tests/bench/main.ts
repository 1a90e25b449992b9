/**
 * `npm run bench`: the product as a user runs it, its hand-over and its fan-out beside their floors from the same run.
 *
 * With AIRFLOW_BASE_URL (and AIRFLOW_USERNAME, AIRFLOW_PASSWORD) the same DAG ids are driven on that server too, and the
 * ratio is printed. Isolation of every row: warm task process. Figures are for a quiet machine.
 */
import { join } from "node:path";
import { startProduct } from "../support/product.ts";
import { RestClient, type TaskInstance } from "../support/rest-client.ts";
import { type Floors, measureFloors } from "./floors.ts";
import { type Spread, spread } from "./statistics.ts";

interface Figures {
  readonly handOver: Spread;
  readonly chain: Spread;
  readonly fanOut: Spread;
  readonly trigger: Spread;
}

const ROUNDS = 5;

async function figures(rest: RestClient): Promise<Figures> {
  for (const dag of ["bench_chain", "bench_fanout", "bench_single"]) {
    await rest.waitForDag(dag);
    await rest.setPaused(dag, false);
    await instancesOfOneRun(rest, dag);
  }
  const chains = await rounds(ROUNDS, () => instancesOfOneRun(rest, "bench_chain"));
  const fans = await rounds(ROUNDS, () => instancesOfOneRun(rest, "bench_fanout"));
  const singles = await rounds(30, () => triggerToStart(rest));
  return {
    handOver: spread(chains.flatMap(handOvers)),
    chain: spread(chains.map(wallTime)),
    fanOut: spread(fans.map(wallTime)),
    trigger: spread(singles),
  };
}

async function rounds<T>(count: number, once: () => Promise<T>): Promise<T[]> {
  const results: T[] = [];
  for (let n = 0; n < count; n++) results.push(await once());
  return results;
}

async function instancesOfOneRun(rest: RestClient, dagId: string): Promise<TaskInstance[]> {
  const { dag_run_id } = await rest.trigger(dagId);
  const run = await rest.waitForRun(dagId, dag_run_id, 600_000);
  if (run.state !== "success") throw new Error(`${dagId} ended as ${run.state}`);
  return rest.taskInstances(dagId, dag_run_id);
}

/** From the call to the first task's start, in milliseconds. */
async function triggerToStart(rest: RestClient): Promise<number> {
  const called = Date.now();
  const [only] = await instancesOfOneRun(rest, "bench_single");
  return start(only) - called;
}

function handOvers(instances: readonly TaskInstance[]): number[] {
  const ordered = [...instances].sort((a, b) => start(a) - start(b));
  return ordered.slice(1).map((next, n) => start(next) - end(ordered[n]));
}

const wallTime = (instances: readonly TaskInstance[]) =>
  Math.max(...instances.map(end)) - Math.min(...instances.map(start));
const start = (instance: TaskInstance | undefined) => Date.parse(instance?.start_date ?? "");
const end = (instance: TaskInstance | undefined) => Date.parse(instance?.end_date ?? "");

function row(what: string, ours: Spread, floor: number, budget: string, peer: Spread | undefined): void {
  const ratio = peer === undefined ? "" : `  Airflow ${peer.p50.toFixed(0)} ms = ${(peer.p50 / ours.p50).toFixed(0)} x`;
  console.log(
    `${what.padEnd(44)} p50 ${ours.p50.toFixed(1).padStart(8)} ms  p99 ${ours.p99.toFixed(1).padStart(8)} ms  (n=${ours.count}, ${ours.min.toFixed(1)} to ${ours.max.toFixed(1)})` +
      `  floor ${floor.toFixed(1)} ms = ${(ours.p50 / floor).toFixed(1)} x  budget ${budget}${ratio}`,
  );
}

function print(ours: Figures, floors: Floors, peer: Figures | undefined): void {
  // A hand-over is two commits (finish, claim), two calls and one job, in a row.
  const handOverFloor = 2 * floors.commit.p50 + 2 * floors.httpCall.p50 + floors.queueJob.p50;
  console.log("\nfloors of this run (p50 / p99, ms)");
  for (const [name, floor] of Object.entries(floors))
    console.log(`  ${name.padEnd(14)} ${floor.p50.toFixed(2)} / ${floor.p99.toFixed(2)}`);
  console.log("\nwarm task processes, durable Postgres and Redis, log files, Execution API");
  row("hand-over, finished task to successor's start", ours.handOver, handOverFloor, "p50 5, p99 25", peer?.handOver);
  row("chain of 40 trivial tasks", ours.chain, 39 * handOverFloor, "300", peer?.chain);
  row(
    "fan-out of 100 trivial tasks",
    ours.fanOut,
    100 * (floors.commit.p50 + floors.queueJob.p50),
    "400",
    peer?.fanOut,
  );
  row("REST trigger to first task's start", ours.trigger, handOverFloor, "p50 10, p99 50", peer?.trigger);
}

async function peerFigures(): Promise<Figures | undefined> {
  const url = process.env.AIRFLOW_BASE_URL;
  if (url === undefined) return undefined;
  const rest = new RestClient(url);
  await rest.login(process.env.AIRFLOW_USERNAME ?? "admin", process.env.AIRFLOW_PASSWORD ?? "admin");
  return figures(rest);
}

const floors = await measureFloors();
const product = await startProduct({ dagsFolder: join(import.meta.dirname, "dags") });
try {
  print(await figures(product.rest), floors, await peerFigures());
} finally {
  await product.stop();
}
