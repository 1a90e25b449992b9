/** What the rows share: the running product with its servers, the floors, and the Airflow to compare with. */
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { startPostgres, startRedis } from "@updraft/local-services";
import pg from "pg";
import { type Product, startProduct } from "../support/product.ts";
import { RestClient } from "../support/rest-client.ts";
import { Driver } from "./driver.ts";
import { type Floors, measureFloors } from "./floors.ts";
import type { BenchOptions } from "./options.ts";

export interface Installation {
  readonly product: Product;
  readonly driver: Driver;
  sql(text: string): Promise<void>;
  /** Takes Postgres and Redis away from the product. */
  stopServers(): Promise<void>;
  stop(): Promise<void>;
}

export class Bench {
  readonly options: BenchOptions;
  readonly floors: Floors;
  /** Null without AIRFLOW_BASE_URL. */
  readonly peer: Driver | null;
  #shared: Installation | null = null;

  private constructor(options: BenchOptions, floors: Floors, peer: Driver | null) {
    this.options = options;
    this.floors = floors;
    this.peer = peer;
  }

  static async prepare(options: BenchOptions): Promise<Bench> {
    return new Bench(options, await measureFloors(), await connectPeer());
  }

  /** A hand-over at its least: two commits (finish, claim), two calls and one job, in a row. */
  get handOverFloor(): number {
    const { commit, httpCall, queueJob } = this.floors;
    return 2 * commit.p50 + 2 * httpCall.p50 + queueJob.p50;
  }

  /** The product with the DAGs of this folder, started once for all rows that want no other. */
  async shared(): Promise<Installation> {
    this.#shared ??= await install(join(import.meta.dirname, "dags"));
    return this.#shared;
  }

  async close(): Promise<void> {
    await this.#shared?.stop();
    this.peer?.close();
  }
}

const installed = new Set<Installation>();

/** Every installation that still runs, shared or of a row; for an end before the last row. */
export async function stopInstallations(): Promise<void> {
  await Promise.allSettled([...installed].map((one) => one.stop()));
}

/** As a user runs it: default limits, durable Postgres and Redis, log files, the Execution API. */
export async function install(dagsFolder: string): Promise<Installation> {
  const folder = mkdtempSync(join(tmpdir(), "updraft-bench-"));
  const postgres = await startPostgres({ dataFolder: join(folder, "postgres"), port: 0, mode: "durable" });
  const redis = await startRedis({ dataFolder: join(folder, "redis"), port: 0, mode: "durable" });
  const product = await startProduct({
    dagsFolder,
    dataFolder: join(folder, "data"),
    environment: { AIRFLOW__DATABASE__SQL_ALCHEMY_CONN: postgres.url, AIRFLOW__CELERY__BROKER_URL: redis.url },
  });
  const driver = new Driver(product.rest);
  const installation: Installation = {
    product,
    driver,
    sql: (text) => runSql(postgres.url, text),
    async stopServers() {
      await redis.stop();
      await postgres.stop();
    },
    async stop() {
      installed.delete(installation);
      driver.close();
      await product.stop();
      await installation.stopServers();
      rmSync(folder, { recursive: true, force: true, maxRetries: 5 });
    },
  };
  installed.add(installation);
  return installation;
}

async function runSql(connectionString: string, text: string): Promise<void> {
  const client = new pg.Client({ connectionString });
  await client.connect();
  try {
    await client.query(text);
  } finally {
    await client.end();
  }
}

async function connectPeer(): Promise<Driver | null> {
  const url = process.env.AIRFLOW_BASE_URL;
  if (url === undefined) return null;
  const rest = new RestClient(url);
  await rest.login(process.env.AIRFLOW_USERNAME ?? "admin", process.env.AIRFLOW_PASSWORD ?? "admin");
  return new Driver(rest);
}
