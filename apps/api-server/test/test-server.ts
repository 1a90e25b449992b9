/** A real api-server on a free port, before a real store. */
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Announcement, MetadataStore, QueuedTry } from "@updraft/metadata-store";
import { createAnnouncer, createListener } from "@updraft/metadata-store";
import { type Config, createLogger, createMetrics, createWorkloadTokens, loadConfig } from "@updraft/service-kit";
import { createTestStore } from "@updraft/testkit";
import { createEventHub, type EventHub } from "../src/events/hub.ts";
import { type ApiServerOptions, createApiServer } from "../src/index.ts";

interface Answer {
  readonly status: number;
  readonly headers: Headers;
  // biome-ignore lint/suspicious/noExplicitAny: tests look into bodies of every shape
  readonly body: any;
}

type Offer = QueuedTry & { readonly token: string };

export interface TestServer {
  readonly url: string;
  readonly config: Config;
  readonly store: MetadataStore;
  readonly events: EventHub;
  /** Tries that were offered to the queue. */
  readonly offered: readonly Offer[];
  announce(announcement: Announcement): void;
  call(method: string, path: string, options?: CallOptions): Promise<Answer>;
  /** Calls as the administrator. */
  rest(method: string, path: string, body?: unknown): Promise<Answer>;
  stop(): Promise<void>;
}

interface CallOptions {
  readonly body?: unknown;
  readonly token?: string;
  readonly headers?: Readonly<Record<string, string>>;
}

export const ENVIRONMENT = {
  AIRFLOW__API_AUTH__JWT_SECRET: "the secret of the tests",
  UPDRAFT__WORKER__TOKEN: "the token of the workers",
  UPDRAFT__TRIGGERER__TOKEN: "the token of the triggerers",
  UPDRAFT__LOGGING__LOG_SERVER_SECRET: "the secret of the log servers",
  AIRFLOW__API__PORT: "0",
};

export async function startTestServer(
  environment: Readonly<Record<string, string>> = {},
  options: Partial<ApiServerOptions> = {},
): Promise<TestServer> {
  const folder = mkdtempSync(join(tmpdir(), "updraft-api-"));
  const config = loadConfig({ ...ENVIRONMENT, UPDRAFT__CORE__DATA_FOLDER: folder, ...environment });
  const logger = createLogger("test", "error");
  const { store, databaseUrl } = await createTestStore();
  const offered: Offer[] = [];
  const queue = {
    async offer(messages: readonly Offer[]) {
      offered.push(...messages);
    },
  };
  const tokenFor = createWorkloadTokens(config.jwtSecret).sign;
  const announcer = createAnnouncer({ databaseUrl, logger, queue, tokenFor });
  const events = createEventHub();
  const listener = await createListener({ databaseUrl, logger, onEvents: events.publish });
  const metrics = createMetrics("api-server");
  const server = createApiServer({ config, logger, metrics, store, announcer, events, environment: {}, ...options });
  const { url } = await server.start();

  async function call(method: string, path: string, { body, token, headers }: CallOptions = {}): Promise<Answer> {
    const answer = await fetch(`${url}${path}`, {
      method,
      redirect: "manual",
      headers: {
        ...(body === undefined ? {} : { "content-type": "application/json" }),
        ...(token === undefined ? {} : { authorization: `Bearer ${token}` }),
        ...headers,
      },
      ...(body === undefined ? {} : { body: typeof body === "string" ? body : JSON.stringify(body) }),
    });
    const text = await answer.text();
    const isJson = answer.headers.get("content-type")?.startsWith("application/json") === true;
    return { status: answer.status, headers: answer.headers, body: isJson ? JSON.parse(text) : text };
  }

  let adminToken: string | undefined;
  return {
    url,
    config,
    store,
    events,
    offered,
    announce: (announcement) => announcer.announce(announcement),
    call,
    async rest(method, path, body) {
      adminToken ??= (await call("POST", "/auth/token", { body: { username: "airflow", password: "airflow" } })).body
        .access_token;
      return call(method, path, { token: String(adminToken), ...(body === undefined ? {} : { body }) });
    },
    async stop() {
      await server.stop();
      await listener.stop();
      await announcer.close();
      await store.close();
      rmSync(folder, { recursive: true, force: true });
    },
  };
}
