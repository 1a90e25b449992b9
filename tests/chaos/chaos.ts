/**
 * Real processes, really killed: two schedulers and two workers run many short tasks while each role is killed, Redis
 * loses its data, Postgres restarts, and processes stand still for longer than their lease. Each task writes when it
 * begins and ends, so that what ran is told by nobody who was killed.
 */
import { appendFileSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { Redis } from "ioredis";
import { descendants } from "../support/processes.ts";
import { type Product, startProduct } from "../support/product.ts";
import type { DagRun } from "../support/rest-client.ts";
import { type Effects, readEffects } from "./effects.ts";

export const LEASE_SECONDS = 3;
const TASKS = 10;
const DAG_ID = "chaos";

export interface ChaosOptions {
  readonly runs: number;
  /** Time from one fault to the next. */
  readonly pauseMs: number;
  readonly limitMs: number;
  readonly say: (line: string) => void;
}

export interface ChaosReport {
  readonly runs: number;
  readonly tasks: number;
  readonly faults: readonly string[];
  /** Runs and tasks that did not end well, by name. */
  readonly lost: readonly string[];
  /** Tries that ran twice, or while an earlier try of their task still ran. */
  readonly doubled: readonly string[];
  /** Tasks that were begun again because their try was lost. */
  readonly repeated: number;
  /** From a fault to the end of a try that died with it, in seconds; the worst. */
  readonly slowestRescueSeconds: number;
}

export async function runChaos({ runs, pauseMs, limitMs, say }: ChaosOptions): Promise<ChaosReport> {
  const folder = mkdtempSync(join(tmpdir(), "updraft-chaos-"));
  const effectsFile = join(folder, "effects.log");
  const dagsFolder = join(folder, "dags");
  mkdirSync(dagsFolder);
  appendFileSync(effectsFile, "");
  writeFileSync(join(dagsFolder, "chaos.ts"), dagFile(effectsFile));
  const product = await startProduct({
    ...{ dagsFolder, separate: true, schedulers: 2, workers: 2 },
    environment: {
      UPDRAFT__SCHEDULER__LEASE_SECONDS: `${LEASE_SECONDS}`,
      UPDRAFT__WORKER__HEARTBEAT_SECONDS: "1",
      AIRFLOW__CORE__PARALLELISM: "12",
    },
  });
  try {
    await product.rest.waitForDag(DAG_ID);
    const faults: Fault[] = [];
    const ids = await trigger(product, runs);
    say(`${runs} runs of ${TASKS} tasks were triggered`);
    for (const { what, strike } of STRIKES) {
      await sleep(pauseMs);
      faults.push({ what, at: Date.now() });
      say(what);
      await strike(product);
    }
    const ended = await waitForRuns(product, ids, limitMs);
    return await report(product, { ended, faults, effects: readEffects(readFileSync(effectsFile, "utf8")) });
  } finally {
    await product.stop();
    rmSync(folder, { recursive: true, force: true, maxRetries: 5 });
  }
}

interface Fault {
  readonly what: string;
  readonly at: number;
}

/** A line of tasks with a fan in its middle. `appendFileSync` writes a line as one piece. */
function dagFile(effectsFile: string): string {
  return `import { appendFileSync } from "node:fs";
import { Bundle, Dag, getContext } from "@updraft/sdk";

const dag = new Dag("${DAG_ID}", { isPausedUponCreation: false, maxActiveRuns: 1000, maxActiveTasks: 16 });
const note = (word: string) => {
  const { runId, taskId, tryNumber } = getContext();
  appendFileSync(${JSON.stringify(effectsFile)}, [word, runId, taskId, tryNumber, Date.now()].join(" ") + "\\n");
};
const work = async () => {
  note("begin");
  await new Promise((done) => setTimeout(done, 60));
  note("end");
};
const tasks = Array.from({ length: ${TASKS} }, (_, n) => dag.task("t" + n, work, { retries: 20, retryDelay: 0 })());
for (const middle of tasks.slice(1, 6)) tasks[0].before(middle);
for (const middle of tasks.slice(1, 6)) middle.before(tasks[6]);
for (const [n, task] of tasks.slice(6, 9).entries()) task.before(tasks[n + 7]);
await new Bundle(dag).serve();
`;
}

async function trigger({ rest }: Product, runs: number): Promise<string[]> {
  const ids: string[] = [];
  for (let n = 0; n < runs; n += 1) ids.push((await rest.trigger(DAG_ID)).dag_run_id);
  return ids;
}

interface Strike {
  readonly what: string;
  strike(product: Product): Promise<void>;
}

const STRIKES: readonly Strike[] = [
  ...["worker", "scheduler", "api-server", "dag-processor"].map((role) => ({
    what: `kill -9 of a ${role}`,
    async strike(product: Product) {
      signal(product, role, "SIGKILL");
    },
  })),
  { what: "Redis killed with all its data", strike: emptyRedis },
  { what: "a worker stopped past its lease and woken", strike: (product) => stand(product, "worker") },
  { what: "Postgres restarted", strike: async (product) => restartPostgres(product) },
  { what: "a scheduler stopped past its lease and woken", strike: (product) => stand(product, "scheduler") },
];

function signal(product: Product, role: string, name: NodeJS.Signals): number {
  const pid = processesOf(product, `apps/${role}/src/main.ts`)[0];
  if (pid === undefined) throw new Error(`no process of ${role} below ${product.process.pid}`);
  process.kill(pid, name);
  return pid;
}

function processesOf({ process: { pid = 0 } }: Product, command: string): number[] {
  return descendants(pid)
    .filter((one) => one.command.includes(command) && !one.command.startsWith("setpriv"))
    .map((one) => one.pid);
}

async function stand(product: Product, role: string): Promise<void> {
  const pid = signal(product, role, "SIGSTOP");
  await sleep(LEASE_SECONDS * 1500);
  process.kill(pid, "SIGCONT");
}

async function emptyRedis(product: Product): Promise<void> {
  const redis = new Redis(product.ports.redis, "127.0.0.1");
  await redis.flushall();
  redis.disconnect();
  // Its title names the address once it runs.
  const [server] = processesOf(product, `-server 127.0.0.1:${product.ports.redis}`);
  if (server === undefined) throw new Error("there is no Redis to kill");
  process.kill(server, "SIGKILL");
}

/** As `pg_ctl restart -m fast`: connections break, and its keeper starts it again. */
function restartPostgres(product: Product): void {
  const [server] = processesOf(product, "bin/postgres");
  if (server === undefined) throw new Error("there is no Postgres to restart");
  process.kill(server, "SIGINT");
}

async function waitForRuns({ rest }: Product, ids: readonly string[], limitMs: number): Promise<DagRun[]> {
  const deadline = Date.now() + limitMs;
  const ended = new Map<string, DagRun>();
  while (ended.size < ids.length && Date.now() < deadline) {
    await sleep(250);
    for (const id of ids.filter((one) => !ended.has(one))) {
      const run = await rest.run(DAG_ID, id).catch(() => null);
      if (run?.state === "success" || run?.state === "failed") ended.set(id, run);
      else break;
    }
  }
  return Promise.all(ids.map((id) => ended.get(id) ?? rest.run(DAG_ID, id)));
}

interface LostTry {
  readonly start_date: string | null;
  readonly end_date: string;
}

interface Facts {
  readonly ended: readonly DagRun[];
  readonly faults: readonly Fault[];
  readonly effects: Effects;
}

async function report({ rest }: Product, { ended, faults, effects }: Facts): Promise<ChaosReport> {
  const lost = ended.filter(({ state }) => state !== "success").map((run) => `run ${run.dag_run_id} is ${run.state}`);
  let slowest = 0;
  for (const { dag_run_id } of ended) {
    for (const one of await rest.taskInstances(DAG_ID, dag_run_id)) {
      const name = `${dag_run_id} ${one.task_id}`;
      if (one.state !== "success") lost.push(`${name} is ${one.state}`);
      if (!effects.ended(dag_run_id, one.task_id)) lost.push(`${name} never came to its end`);
      if (one.try_number === 1) continue;
      const path = `/api/v2/dags/${DAG_ID}/dagRuns/${dag_run_id}/taskInstances/${one.task_id}/tries`;
      const { task_instances } = await rest.ok<{ task_instances: LostTry[] }>("GET", path);
      // A task lasts a moment, so that the first fault after its start is the one that it died of.
      for (const { start_date, end_date } of task_instances.slice(0, -1)) {
        const fault = faults.find((fault) => fault.at >= Date.parse(start_date ?? end_date));
        if (fault !== undefined) slowest = Math.max(slowest, Date.parse(end_date) - fault.at);
      }
    }
  }
  return {
    runs: ended.length,
    tasks: ended.length * TASKS,
    faults: faults.map(({ what }) => what),
    lost,
    doubled: effects.doubled(),
    repeated: effects.repeated(),
    slowestRescueSeconds: slowest / 1000,
  };
}
