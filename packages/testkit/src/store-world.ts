/**
 * A store with clocks that stand still until a test moves them: the Postgres store or the in-memory one, which pass the
 * same suite and give the same answers to the same calls.
 */
import { type MetadataStore, openMetadataStore } from "@updraft/metadata-store";
import { type Clock, createLogger, type Ids } from "@updraft/service-kit";
import pg from "pg";
import { FakeClock } from "./fake-clock.ts";
import { createMemoryDatabase, type EngineStore, type StoreDump } from "./memory-store/index.ts";
import { type Observation, observePostgres } from "./observation.ts";
import { dumpPostgres } from "./postgres-dump.ts";

export interface StoreWorld {
  /** The store as a process on the world's clock sees it. */
  readonly store: EngineStore;
  readonly clock: FakeClock;
  /** The store as a process with a clock of its own sees it. */
  open(clock: Clock): Promise<EngineStore>;
  /** Moves the clock of the database and of `store`. */
  advance(ms: number): Promise<void>;
  setPool(name: string, slots: number): Promise<void>;
  dump(): Promise<StoreDump>;
  observe(): Promise<Observation>;
  close(): Promise<void>;
}

export interface StoreWorldOptions {
  readonly parallelism?: number;
  readonly now?: number;
}

const NOW = Date.parse("2026-03-01T12:00:00Z");

/** Ids in the order in which they are made, the same in every run. */
function countingIds(): Ids {
  let made = 0;
  return {
    uuid() {
      made += 1;
      const digits = made.toString(16).padStart(12, "0");
      // The end varies most, because names of runs take their suffix from it.
      return `00000000-0000-7000-8000-${digits}`;
    },
    random: () => 0.5,
  };
}

export async function createMemoryWorld({ parallelism = 32, now = NOW }: StoreWorldOptions = {}): Promise<StoreWorld> {
  const clock = new FakeClock(now);
  const database = createMemoryDatabase({ clock, ids: countingIds(), parallelism });
  return {
    store: database.open(clock),
    clock,
    open: async (own) => database.open(own),
    advance: async (ms) => clock.advance(ms),
    setPool: async (name, slots) => database.setPool(name, slots),
    dump: async () => database.dump(),
    observe: async () => database.observe(),
    close: async () => undefined,
  };
}

/** `databaseUrl`: a migrated database of its own. Its clock becomes the world's. */
export async function createPostgresWorld(
  databaseUrl: string,
  { parallelism = 32, now = NOW }: StoreWorldOptions = {},
): Promise<StoreWorld & { readonly store: MetadataStore }> {
  const clock = new FakeClock(now);
  const ids = countingIds();
  const logger = createLogger("test", "silent");
  const client = new pg.Client({ connectionString: databaseUrl });
  await client.connect();
  await fakeDatabaseClock(client, now);
  const stores: MetadataStore[] = [];
  const open = async (own: Clock) => {
    const store = await openMetadataStore({ databaseUrl, logger, clock: own, ids, parallelism });
    stores.push(store);
    return store;
  };
  return {
    store: await open(clock),
    clock,
    open,
    async advance(ms) {
      clock.advance(ms);
      await client.query("UPDATE fake.clock SET now = $1", [new Date(clock.now())]);
    },
    async setPool(name, slots) {
      const text = "INSERT INTO slot_pool VALUES ($1, $2) ON CONFLICT (pool) DO UPDATE SET slots = $2";
      await client.query(text, [name, slots]);
    },
    dump: () => dumpPostgres(async (text) => (await client.query(text)).rows),
    observe: () => observePostgres(async (text) => (await client.query(text)).rows),
    async close() {
      await Promise.all(stores.map((store) => store.close()));
      await client.end();
    },
  };
}

/** A function found before Postgres's own one makes leases a matter of the test's clock. */
async function fakeDatabaseClock(client: pg.Client, now: number): Promise<void> {
  await client.query(`
    CREATE SCHEMA fake;
    CREATE TABLE fake.clock (now timestamptz NOT NULL);
    INSERT INTO fake.clock VALUES ('${new Date(now).toISOString()}');
    CREATE FUNCTION fake.clock_timestamp() RETURNS timestamptz LANGUAGE sql VOLATILE AS 'SELECT now FROM fake.clock';
    DO $$ BEGIN EXECUTE format('ALTER DATABASE %I SET search_path = public, fake, pg_catalog', current_database()); END $$`);
}
