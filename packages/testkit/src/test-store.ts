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
import { type Counted, countStatements } from "./statement-counter.ts";

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

export interface CountedStore extends TestStore {
  /** What the store sends to Postgres during `work`. */
  count(work: () => Promise<unknown>): Promise<Counted>;
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

export async function createTestStore(options: TestStoreOptions = {}): Promise<TestStore> {
  const databaseUrl = await createTestDatabase();
  return openTestStore(databaseUrl, databaseUrl, options);
}

export async function createCountedStore(options: TestStoreOptions = {}): Promise<CountedStore> {
  const databaseUrl = await createTestDatabase();
  const counter = await countStatements(databaseUrl);
  const world = await openTestStore(databaseUrl, counter.databaseUrl, options);
  return {
    ...world,
    count: counter.count,
    async close() {
      await world.close();
      await counter.close();
    },
  };
}

/** `storeUrl` is the store's own way to the database. */
async function openTestStore(
  databaseUrl: string,
  storeUrl: string,
  { parallelism = 32, now = Date.now(), ...options }: TestStoreOptions,
): Promise<TestStore> {
  const clock = new FakeClock(now);
  const logger = createLogger("test", "silent");
  const store = await openMetadataStore({
    databaseUrl: storeUrl,
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
