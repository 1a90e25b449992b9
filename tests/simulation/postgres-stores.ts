/** Databases of a real Postgres for worlds: each gets a clone of a migrated one. */
import { openMetadataStore } from "@updraft/metadata-store";
import { createLogger, systemClock, systemIds } from "@updraft/service-kit";
import { createPostgresWorld } from "@updraft/testkit/worlds";
import pg from "pg";
import type { WorldOptions } from "./world.ts";

const TEMPLATE = "sim_template";
/** A look costs three statements; calls that change nothing are looked at from time to time. */
const LOOK_EVERY = 25;

export async function postgresStores(serverUrl: string): Promise<Pick<WorldOptions, "createStore" | "lookEvery">> {
  const urlOf = (database: string) => Object.assign(new URL(serverUrl), { pathname: `/${database}` }).href;
  await query(serverUrl, `CREATE DATABASE ${TEMPLATE}`);
  const logger = createLogger("test", "silent");
  const ports = { logger, clock: systemClock, ids: systemIds, parallelism: 1 };
  await (await openMetadataStore({ databaseUrl: urlOf(TEMPLATE), ...ports })).close();
  let made = 0;
  return {
    lookEvery: LOOK_EVERY,
    async createStore(options) {
      made += 1;
      const name = `sim_${made}`;
      await query(serverUrl, `CREATE DATABASE ${name} TEMPLATE ${TEMPLATE}`);
      return createPostgresWorld(urlOf(name), options);
    },
  };
}

async function query(url: string, text: string): Promise<void> {
  const client = new pg.Client({ connectionString: url });
  await client.connect();
  try {
    await client.query(text);
  } finally {
    await client.end();
  }
}
