/** A store on a database of its own, with a clock that tests move. */
import { randomBytes } from "node:crypto";
import { type MetadataStore, openMetadataStore } from "@updraft/metadata-store";
import { createLogger, systemIds } from "@updraft/service-kit";
import { inject } from "vitest";
import { FakeClock } from "./fake-clock.ts";
import { TEMPLATE, withDatabase } from "./global-setup.ts";
import type { StoreDump } from "./memory-store/index.ts";
import { dumpPostgres } from "./postgres-dump.ts";
import { sql } from "./sql.ts";

export interface TestStore {
  readonly store: MetadataStore;
  readonly clock: FakeClock;
  readonly databaseUrl: string;
  /** Everything that the engine's tables hold. */
  dump(): Promise<StoreDump>;
  /** A look behind the store, for what no method tells. */
  sql<R extends Record<string, unknown>>(text: string, values?: unknown[]): Promise<R[]>;
  close(): Promise<void>;
}

export interface TestStoreOptions {
  readonly parallelism?: number;
  readonly now?: number;
  readonly disableBundleVersioning?: boolean;
  readonly maxMapLength?: number;
}

/** The url of a fresh clone of the migrated template. */
export async function createTestDatabase(): Promise<string> {
  const name = `test_${randomBytes(6).toString("hex")}`;
  await sql(inject("postgresUrl"), `CREATE DATABASE ${name} TEMPLATE ${TEMPLATE}`);
  return withDatabase(inject("postgresUrl"), name);
}

export async function createTestStore({
  parallelism = 32,
  now = Date.now(),
  ...options
}: TestStoreOptions = {}): Promise<TestStore> {
  const databaseUrl = await createTestDatabase();
  const clock = new FakeClock(now);
  const logger = createLogger("test", "silent");
  const store = await openMetadataStore({
    databaseUrl,
    logger,
    clock,
    ids: systemIds,
    parallelism,
    ...options,
  });
  return {
    store,
    clock,
    databaseUrl,
    dump: () => dumpPostgres((text) => sql(databaseUrl, text)),
    sql: (text, values) => sql(databaseUrl, text, values),
    close: () => store.close(),
  };
}
