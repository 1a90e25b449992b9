/**
 * Brings the schema up to date. Several processes may start at once: an advisory lock lets one of them work.
 */
import { readdirSync, readFileSync } from "node:fs";
import type { Database, Queryable } from "./database.ts";
import { SchemaTooNewError } from "./errors.ts";

const FOLDER = new URL("./migrations/", import.meta.url);
/** Any number, as long as nobody else takes it in this database. */
const LOCK = 7_203_541;

export async function migrate(database: Database): Promise<void> {
  await database.transaction(async (tx) => {
    await tx.rows({ text: "SELECT pg_advisory_xact_lock($1)", values: [LOCK] });
    await tx.rows({
      text: "CREATE TABLE IF NOT EXISTS schema_migration (version integer PRIMARY KEY, name text NOT NULL, applied_at timestamptz NOT NULL DEFAULT now())",
    });
    const applied = await tx.rows<{ version: number }>({ text: "SELECT version FROM schema_migration" });
    const done = new Set(applied.map(({ version }) => version));
    const migrations = knownMigrations();
    const newest = migrations.at(-1)?.version ?? 0;
    const version = Math.max(0, ...done);
    if (version > newest) throw new SchemaTooNewError(version, newest);
    for (const migration of migrations.filter((one) => !done.has(one.version))) await apply(tx, migration);
  });
}

interface Migration {
  readonly version: number;
  readonly name: string;
}

/** In order; a file is called `0001_initial.sql`. */
function knownMigrations(): Migration[] {
  return readdirSync(FOLDER)
    .filter((name) => name.endsWith(".sql"))
    .sort()
    .map((name) => ({ version: Number.parseInt(name, 10), name }));
}

async function apply(tx: Queryable, { version, name }: Migration): Promise<void> {
  await tx.rows({ text: readFileSync(new URL(name, FOLDER), "utf8") });
  await tx.rows({ text: "INSERT INTO schema_migration (version, name) VALUES ($1, $2)", values: [version, name] });
}
