/** A client of REST API v2 as a user's script has one; it knows nothing of Updraft, so it also drives a real Airflow. */
import { setTimeout as sleep } from "node:timers/promises";

export interface DagRun {
  readonly dag_run_id: string;
  readonly dag_id: string;
  readonly state: string;
  readonly logical_date: string | null;
  readonly run_after: string;
  readonly start_date: string | null;
  readonly end_date: string | null;
  readonly run_type: string;
  readonly conf: Readonly<Record<string, unknown>>;
}

export interface TaskInstance {
  readonly id: string;
  readonly task_id: string;
  readonly dag_run_id: string;
  readonly state: string | null;
  readonly try_number: number;
  readonly map_index: number;
  readonly start_date: string | null;
  readonly end_date: string | null;
  readonly pid: number | null;
  readonly hostname: string | null;
}

export interface Answer<T> {
  readonly status: number;
  readonly body: T;
}

const FINISHED = new Set(["success", "failed"]);

export class RestClient {
  readonly baseUrl: string;
  #token: string | null = null;

  constructor(baseUrl: string) {
    this.baseUrl = baseUrl;
  }

  /** The bearer token of the last login; empty before. */
  get token(): string {
    return this.#token ?? "";
  }

  async waitUntilUp(limitMs: number, gaveUp: () => boolean = () => false): Promise<void> {
    const deadline = Date.now() + limitMs;
    while (Date.now() < deadline && !gaveUp()) {
      const up = await fetch(`${this.baseUrl}/api/v2/version`).then(
        (answer) => answer.ok,
        () => false,
      );
      if (up) return;
      await sleep(50);
    }
    throw new Error(`${this.baseUrl}/api/v2/version did not answer within ${limitMs} ms`);
  }

  async login(username: string, password: string): Promise<void> {
    const answer = await this.call<{ access_token: string }>("POST", "/auth/token", { username, password });
    if (answer.status !== 201)
      throw new Error(`login as ${username} answered ${answer.status}: ${JSON.stringify(answer.body)}`);
    this.#token = answer.body.access_token;
  }

  async call<T = unknown>(
    method: string,
    path: string,
    body?: unknown,
    headers: Record<string, string> = {},
  ): Promise<Answer<T>> {
    const answer = await fetch(`${this.baseUrl}${path}`, {
      method,
      headers: {
        ...(this.#token === null ? {} : { authorization: `Bearer ${this.#token}` }),
        ...(body === undefined ? {} : { "content-type": "application/json" }),
        accept: "application/json",
        ...headers,
      },
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    });
    const text = await answer.text();
    const isJson = answer.headers.get("content-type")?.includes("application/json") === true && text !== "";
    return { status: answer.status, body: (isJson ? JSON.parse(text) : text) as T };
  }

  /** The body of a call that must answer below 300. */
  async ok<T = unknown>(method: string, path: string, body?: unknown): Promise<T> {
    const answer = await this.call<T>(method, path, body);
    if (answer.status >= 300)
      throw new Error(`${method} ${path} answered ${answer.status}: ${JSON.stringify(answer.body)}`);
    return answer.body;
  }

  async waitForDag(dagId: string, limitMs = 30_000): Promise<void> {
    await until(
      `DAG ${dagId} is known`,
      limitMs,
      async () => (await this.call("GET", `/api/v2/dags/${dagId}`)).status === 200,
    );
  }

  async setPaused(dagId: string, isPaused: boolean): Promise<void> {
    await this.ok("PATCH", `/api/v2/dags/${dagId}`, { is_paused: isPaused });
  }

  async trigger(dagId: string, conf: Record<string, unknown> = {}): Promise<DagRun> {
    return this.ok<DagRun>("POST", `/api/v2/dags/${dagId}/dagRuns`, { logical_date: null, conf });
  }

  async run(dagId: string, runId: string): Promise<DagRun> {
    return this.ok<DagRun>("GET", `/api/v2/dags/${dagId}/dagRuns/${encodeURIComponent(runId)}`);
  }

  async runs(dagId: string, query = "limit=100&order_by=-run_after"): Promise<DagRun[]> {
    return (await this.ok<{ dag_runs: DagRun[] }>("GET", `/api/v2/dags/${dagId}/dagRuns?${query}`)).dag_runs;
  }

  async waitForRun(dagId: string, runId: string, limitMs = 60_000): Promise<DagRun> {
    let run = await this.run(dagId, runId);
    await until(
      `run ${runId} of ${dagId} is over`,
      limitMs,
      async () => {
        run = await this.run(dagId, runId);
        return FINISHED.has(run.state);
      },
      () => `it is ${run.state}`,
    );
    return run;
  }

  /** All task instances of a run, page by page. */
  async taskInstances(dagId: string, runId: string): Promise<TaskInstance[]> {
    const all: TaskInstance[] = [];
    for (;;) {
      const page = await this.ok<{ task_instances: TaskInstance[]; total_entries: number }>(
        "GET",
        `/api/v2/dags/${dagId}/dagRuns/${encodeURIComponent(runId)}/taskInstances?limit=100&offset=${all.length}`,
      );
      all.push(...page.task_instances);
      if (page.task_instances.length === 0 || all.length >= page.total_entries) return all;
    }
  }

  async log(dagId: string, runId: string, taskId: string, tryNumber: number): Promise<string> {
    const path = `/api/v2/dags/${dagId}/dagRuns/${encodeURIComponent(runId)}/taskInstances/${taskId}/logs/${tryNumber}`;
    const answer = await this.call<{ content: { event: string }[] }>("GET", path);
    if (answer.status !== 200) throw new Error(`GET ${path} answered ${answer.status}: ${JSON.stringify(answer.body)}`);
    return answer.body.content.map((line) => line.event).join("\n");
  }
}

/** Asks again until it holds; the error says what was waited for and how it stood at the end. */
export async function until(
  what: string,
  limitMs: number,
  holds: () => Promise<boolean>,
  standing: () => string = () => "",
): Promise<void> {
  const deadline = Date.now() + limitMs;
  while (Date.now() < deadline) {
    if (await holds()) return;
    await sleep(25);
  }
  throw new Error(`waited ${limitMs} ms until ${what}; ${standing()}`);
}
