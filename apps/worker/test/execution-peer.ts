/**
 * A peer that speaks the Task Execution API for the worker's tests: it hands out artefacts and tries, and notes what it
 * is told. It keeps no state machine; that the engine accepts these calls is shown where both run together.
 */
import { createHash } from "node:crypto";
import { once } from "node:events";
import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import type { TaskMessage } from "@updraft/task-queue";

export interface Trial {
  readonly code: string;
  readonly task_id: string;
  readonly execution_timeout?: number;
  readonly isolation?: "warm" | "process";
  readonly should_retry?: boolean;
  readonly arg_bindings?: readonly object[];
  readonly xcom_inputs?: Readonly<Record<string, unknown>>;
  readonly inactive_assets?: readonly object[];
  /** How a try that was deferred goes on, and when it started. */
  readonly next_method?: string;
  readonly start_date?: string;
  readonly xcom_lists?: Readonly<Record<string, number>>;
}

export interface Call {
  readonly method: string;
  readonly path: string;
  readonly token: string;
  readonly body: unknown;
}

export class ExecutionPeer {
  readonly calls: Call[] = [];
  readonly variables = new Map<string, string>();
  readonly connections = new Map<string, object>();
  /** What the instances of mapped tasks returned, by task. */
  readonly lists = new Map<string, readonly unknown[]>();
  /** Status codes to answer next, by method and start of path. */
  readonly answerNext: { readonly method: string; readonly path: string; readonly status: number }[] = [];
  /** Heartbeats get no answer at all. */
  silent = false;
  url = "";

  readonly #server = createServer((request, response) => void this.#serve(request, response));
  readonly #trials = new Map<string, Trial>();
  readonly #artefacts = new Map<string, string>();
  readonly #ends = new Map<string, (body: Record<string, unknown>) => void>();
  #number = 0;

  async start(): Promise<void> {
    this.#server.listen(0, "127.0.0.1");
    await once(this.#server, "listening");
    this.url = `http://127.0.0.1:${(this.#server.address() as AddressInfo).port}/execution/`;
  }

  async stop(): Promise<void> {
    this.#server.close();
    this.#server.closeAllConnections();
  }

  /** A message for a try, and the body of the `state` call that ends it. */
  offer(trial: Trial): { message: TaskMessage; ended: Promise<Record<string, unknown>> } {
    this.#number += 1;
    const ti_id = `00000000-0000-7000-8000-${String(this.#number).padStart(12, "0")}`;
    const hash = createHash("sha256").update(trial.code).digest("hex");
    this.#trials.set(ti_id, trial);
    this.#artefacts.set(hash, trial.code);
    const message: TaskMessage = {
      ti_id,
      dag_id: "d",
      run_id: `run_${this.#number}`,
      task_id: trial.task_id,
      map_index: -1,
      try_number: 1,
      offer_number: 1,
      queue: "default",
      priority_weight: 1,
      artefact_hash: hash,
      isolation: trial.isolation ?? "warm",
      token: `workload-${this.#number}`,
    };
    return { message, ended: new Promise((resolve) => this.#ends.set(ti_id, resolve)) };
  }

  callsTo(method: string, path: string): Call[] {
    return this.calls.filter((call) => call.method === method && call.path.startsWith(path));
  }

  async #serve(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const chunks: Buffer[] = [];
    for await (const chunk of request) chunks.push(chunk);
    const text = Buffer.concat(chunks).toString();
    const path = (request.url ?? "").slice("/execution/".length);
    const method = request.method ?? "";
    const body = text === "" ? undefined : JSON.parse(text);
    this.calls.push({ method, path, token: request.headers.authorization?.slice("Bearer ".length) ?? "", body });
    if (this.silent && path.endsWith("/heartbeat")) return;
    const index = this.answerNext.findIndex((next) => next.method === method && path.startsWith(next.path));
    if (index >= 0) response.writeHead(this.answerNext.splice(index, 1)[0]?.status ?? 500).end("{}");
    else this.#answer(method, path, body, response);
  }

  #answer(method: string, path: string, body: Record<string, unknown>, response: ServerResponse): void {
    const [kind = "", id = "", action] = path.split("?")[0]?.split("/") ?? [];
    const json = (status: number, value: unknown, headers = {}) =>
      response.writeHead(status, { "content-type": "application/json", ...headers }).end(JSON.stringify(value));
    if (action === "run") {
      return void json(200, this.#runAnswer(id), { "refreshed-api-token": `execution-${id}` });
    }
    if (action === "state") this.#ends.get(id)?.(body);
    if (kind === "artefacts") return void response.writeHead(200).end(this.#artefacts.get(id));
    if (method === "GET" && kind === "variables") {
      const value = this.variables.get(id);
      return void (value === undefined ? json(404, { detail: { message: "none" } }) : json(200, { key: id, value }));
    }
    if (method === "GET" && kind === "connections") return void json(200, this.connections.get(id));
    if (kind === "xcoms") return void this.#answerList(method, path, response);
    response.writeHead(204).end();
  }

  /** `xcoms/{dag}/{run}/{task}/return_value`: its number by HEAD, a part of it by `slice`. */
  #answerList(method: string, path: string, response: ServerResponse): void {
    const url = new URL(path, "http://peer/");
    const list = this.lists.get(url.pathname.split("/")[4] ?? "") ?? [];
    if (method === "HEAD") return void response.writeHead(200, { "content-range": `map_indexes ${list.length}` }).end();
    const [start, stop] = ["start", "stop"].map((name) => url.searchParams.get(name));
    const part = list.slice(Number(start ?? 0), stop === null ? undefined : Number(stop));
    response.writeHead(200, { "content-type": "application/json" }).end(JSON.stringify(part));
  }

  #runAnswer(tiId: string): object {
    const trial = this.#trials.get(tiId);
    const now = new Date().toISOString();
    return {
      dag_run: {
        dag_id: "d",
        run_id: "r",
        logical_date: now,
        data_interval_start: null,
        data_interval_end: null,
        run_after: now,
        start_date: now,
        end_date: null,
        clear_number: 0,
        run_type: "manual",
        state: "running",
        conf: { colour: "red" },
        triggering_user_name: null,
        consumed_asset_events: [],
        partition_key: null,
        note: null,
      },
      task_reschedule_count: 0,
      max_tries: 0,
      variables: [],
      connections: [],
      xcom_keys_to_clear: [],
      should_retry: trial?.should_retry ?? false,
      ...(trial?.next_method === undefined ? {} : { next_method: trial.next_method, next_kwargs: {} }),
      start_date: trial?.start_date ?? null,
      arg_bindings: trial?.arg_bindings ?? [],
      updraft: {
        artefact_hash: createHash("sha256")
          .update(trial?.code ?? "")
          .digest("hex"),
        operator_name: "TypeScriptOperator",
        execution_timeout: trial?.execution_timeout ?? null,
        do_xcom_push: true,
        isolation: trial?.isolation ?? "warm",
        xcom_inputs: trial?.xcom_inputs ?? {},
        inactive_assets: trial?.inactive_assets ?? [],
        xcom_lists: trial?.xcom_lists ?? {},
      },
    };
  }
}
