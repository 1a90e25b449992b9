/**
 * One real Postgres for a whole test run, with a migrated template database; `createTestDatabase` clones it. Redis
 * starts beside it. Both end with the run, and with the process if it is killed.
 */
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { startPostgres, startRedis } from "@updraft/local-services";
import { openMetadataStore } from "@updraft/metadata-store";
import { createLogger, systemClock, systemIds } from "@updraft/service-kit";
import type { TestProject } from "vitest/node";
import { sql } from "./sql.ts";

export const TEMPLATE = "updraft_template";

declare module "vitest" {
  export interface ProvidedContext {
    postgresUrl: string;
    redisUrl: string;
  }
}

export async function setup(project: TestProject): Promise<() => Promise<void>> {
  const folder = mkdtempSync(join(tmpdir(), "updraft-test-"));
  const [postgres, redis] = await Promise.all([
    startPostgres({ dataFolder: join(folder, "postgres"), port: 0, mode: "fast" }),
    startRedis({ dataFolder: join(folder, "redis"), port: 0, mode: "fast" }),
  ]);
  await sql(postgres.url, `CREATE DATABASE ${TEMPLATE}`);
  const store = await openMetadataStore({
    databaseUrl: withDatabase(postgres.url, TEMPLATE),
    logger: createLogger("test", "silent"),
    clock: systemClock,
    ids: systemIds,
    parallelism: 32,
  });
  await store.close();
  project.provide("postgresUrl", postgres.url);
  project.provide("redisUrl", redis.url);
  return async () => {
    await Promise.all([postgres.stop(), redis.stop()]);
    rmSync(folder, { recursive: true, force: true });
  };
}

/** The same server, another database. */
export function withDatabase(url: string, database: string): string {
  const changed = new URL(url);
  changed.pathname = `/${database}`;
  return changed.href;
}
