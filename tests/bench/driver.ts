/** Drives DAGs through REST v2 and reads times from what it answers; the same on Updraft and on a real Airflow. */
import { Agent, request as httpRequest } from "node:http";
import { setTimeout as sleep } from "node:timers/promises";
import type { RestClient } from "../support/rest-client.ts";

export interface Instance {
  readonly task_id: string;
  readonly dag_run_id: string;
  readonly start: number;
  readonly end: number;
  readonly queued: number;
}

export interface Driven {
  readonly triggeredAt: number;
  /** The end of the last task. */
  readonly endedAt: number;
  /** By start. */
  readonly instances: readonly Instance[];
}

interface Wire {
  readonly task_id: string;
  readonly dag_run_id: string;
  readonly start_date: string;
  readonly end_date: string;
  readonly queued_when: string;
}

const RUN_LIMIT_MS = 900_000;
const FINISHED = new Set(["success", "failed"]);

export class Driver {
  readonly rest: RestClient;
  readonly #agent = new Agent({ keepAlive: true, maxSockets: 64 });

  constructor(rest: RestClient) {
    this.rest = rest;
  }

  /** Waits until the DAG is known and runs it `times` times, so that what follows meets warm processes. */
  async warmUp(dagId: string, times = 2): Promise<void> {
    await this.rest.waitForDag(dagId);
    await this.rest.setPaused(dagId, false);
    for (let n = 0; n < times; n++) await this.run(dagId);
  }

  async rounds(dagId: string, count: number): Promise<Driven[]> {
    await this.warmUp(dagId);
    const driven: Driven[] = [];
    for (let n = 0; n < count; n++) driven.push(await this.run(dagId));
    return driven;
  }

  async run(dagId: string): Promise<Driven> {
    const { triggeredAt, runId } = await this.trigger(dagId);
    await this.waitForRun(dagId, runId, triggeredAt);
    const instances = await this.instances(dagId, runId);
    return { triggeredAt, instances, endedAt: Math.max(...instances.map(({ end }) => end)) };
  }

  /** Triggers each DAG once, all at once, and waits for every run. */
  async burst(dagIds: readonly string[]): Promise<Driven> {
    const triggeredAt = Date.now();
    const runs = await Promise.all(dagIds.map(async (dagId) => ({ dagId, ...(await this.trigger(dagId)) })));
    const all: Instance[] = [];
    for (const { dagId, runId } of runs) {
      await this.waitForRun(dagId, runId, triggeredAt);
      all.push(...(await this.instances(dagId, runId)));
    }
    return { triggeredAt, instances: byStart(all), endedAt: Math.max(...all.map(({ end }) => end)) };
  }

  /** A call of its own on a kept connection: `fetch` would take more of the processor than what is measured. */
  async trigger(dagId: string): Promise<{ readonly triggeredAt: number; readonly runId: string }> {
    const triggeredAt = Date.now();
    const { status, text } = await this.#post(`/api/v2/dags/${dagId}/dagRuns`, '{"logical_date":null,"conf":{}}');
    if (status >= 300) throw new Error(`triggering ${dagId} answered ${status}: ${text}`);
    return { triggeredAt, runId: (JSON.parse(text) as { dag_run_id: string }).dag_run_id };
  }

  async instances(dagId: string, runId: string): Promise<Instance[]> {
    const all: Instance[] = [];
    for (;;) {
      const path = `/api/v2/dags/${dagId}/dagRuns/${encodeURIComponent(runId)}/taskInstances?limit=100&offset=${all.length}`;
      const page = await this.rest.ok<{ task_instances: Wire[]; total_entries: number }>("GET", path);
      all.push(...page.task_instances.map(instanceOf));
      if (page.task_instances.length === 0 || all.length >= page.total_entries) return byStart(all);
    }
  }

  /** When the single task of each of these runs of a DAG started, read from the newest on. */
  async starts(dagId: string, runIds: ReadonlySet<string>): Promise<ReadonlyMap<string, number>> {
    const found = new Map<string, number>();
    await this.#whenIdle(dagId);
    for (let offset = 0; found.size < runIds.size; offset += 100) {
      const path = `/api/v2/dags/${dagId}/dagRuns/~/taskInstances?order_by=-start_date&limit=100&offset=${offset}`;
      const { task_instances } = await this.rest.ok<{ task_instances: Wire[] }>("GET", path);
      if (task_instances.length === 0) break;
      for (const one of task_instances.map(instanceOf))
        if (runIds.has(one.dag_run_id)) found.set(one.dag_run_id, one.start);
    }
    return found;
  }

  /** Asks rarely, as whoever waits shares the processor with what is measured. */
  async waitForRun(dagId: string, runId: string, since: number): Promise<void> {
    while (Date.now() - since < RUN_LIMIT_MS) {
      const { state } = await this.rest.run(dagId, runId);
      if (state === "failed") throw new Error(`run ${runId} of ${dagId} failed`);
      if (FINISHED.has(state)) return;
      await sleep(Math.min(500, Math.max(40, 0.1 * (Date.now() - since))));
    }
    throw new Error(`run ${runId} of ${dagId} was not over within ${RUN_LIMIT_MS} ms`);
  }

  /** Waits until no run of the DAG is queued or running. */
  async #whenIdle(dagId: string): Promise<void> {
    for (const state of ["queued", "running"]) {
      const path = `/api/v2/dags/${dagId}/dagRuns?state=${state}&limit=1`;
      while ((await this.rest.ok<{ total_entries: number }>("GET", path)).total_entries > 0) await sleep(200);
    }
  }

  close(): void {
    this.#agent.destroy();
  }

  #post(path: string, body: string): Promise<{ status: number; text: string }> {
    return new Promise((resolve, reject) => {
      const call = httpRequest(`${this.rest.baseUrl}${path}`, {
        method: "POST",
        agent: this.#agent,
        headers: {
          authorization: `Bearer ${this.rest.token}`,
          "content-type": "application/json",
          "content-length": Buffer.byteLength(body),
        },
      });
      call.on("error", reject);
      call.on("response", (answer) => {
        let text = "";
        answer.setEncoding("utf8").on("data", (part: string) => {
          text += part;
        });
        answer.on("end", () => resolve({ status: answer.statusCode ?? 0, text }));
      });
      call.end(body);
    });
  }
}

/** From the end of each task to the start of the next, in milliseconds. */
export function handOvers({ instances }: Driven): number[] {
  return instances.slice(1).map(({ start }, n) => start - (instances[n]?.end ?? Number.NaN));
}

/** From the first start to the last end, in milliseconds. */
export function wall({ instances, endedAt }: Driven): number {
  return endedAt - (instances[0]?.start ?? Number.NaN);
}

export function firstStart({ triggeredAt, instances }: Driven): number {
  return (instances[0]?.start ?? Number.NaN) - triggeredAt;
}

function instanceOf({ task_id, dag_run_id, start_date, end_date, queued_when }: Wire): Instance {
  const [start, end, queued] = [Date.parse(start_date), Date.parse(end_date), Date.parse(queued_when)];
  return { task_id, dag_run_id, start, end, queued };
}

function byStart(instances: Instance[]): Instance[] {
  return instances.sort((left, right) => left.start - right.start);
}
