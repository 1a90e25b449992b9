/**
 * Cassandra for tasks: prepared statements, many writes in bounded concurrency, and compare-and-set.
 *
 * Timestamps of writes and 64-bit counters are `bigint` on the way in and out: a double can't hold the microseconds of
 * a write time.
 */
import { auth, Client, policies, types } from "cassandra-driver";
import type { CassandraSettings } from "./cassandra-connection.ts";
import { cassandraErrorOf } from "./cassandra-error.ts";

export type CassandraValue =
  | string
  | number
  | bigint
  | boolean
  | null
  | Date
  | Uint8Array
  | Readonly<Record<string, string>>;

export interface Statement {
  readonly query: string;
  readonly values: readonly CassandraValue[];
}

export type CassandraRow = Readonly<Record<string, unknown>>;

/** What a compare-and-set did: `found` is what stood in its way. */
export interface Conditional {
  readonly applied: boolean;
  readonly found: readonly CassandraRow[];
}

export interface CassandraClient {
  /** A statement that makes or changes a table or keyspace. */
  define(query: string): Promise<void>;
  /** Reads all rows of a prepared statement. */
  select(statement: Statement, consistency?: "local" | "serial"): Promise<readonly CassandraRow[]>;
  /**
   * Writes groups of statements, each group as one unlogged batch that goes to one partition, at most `concurrency` at
   * a time. Returns when every one is acknowledged; the first failure ends it.
   */
  write(groups: readonly (readonly Statement[])[], concurrency?: number): Promise<void>;
  /** Applies all statements of one partition if all their conditions hold, else none. */
  compareAndSet(statements: readonly Statement[]): Promise<Conditional>;
  close(): Promise<void>;
}

const connectTimeoutMs = 2500;
/** Above the servers' own limits (10 s for writes), so that they say first what is wrong. */
const readTimeoutMs = 12_000;
const defaultConcurrency = 64;

/** Connects, or says soon why it can't. */
export async function connectCassandra(settings: CassandraSettings): Promise<CassandraClient> {
  const client = new DriverClient(settings);
  await client.connect();
  return client;
}

class DriverClient implements CassandraClient {
  readonly #client: Client;
  readonly #hosts: string;

  constructor(settings: CassandraSettings) {
    this.#hosts = settings.contactPoints.join(", ");
    const { RoundRobinPolicy, TokenAwarePolicy } = policies.loadBalancing;
    this.#client = new Client({
      contactPoints: [...settings.contactPoints],
      ...(settings.localDataCenter === null
        ? // The driver refuses its own default without a name; one data center needs none.
          { policies: { loadBalancing: new TokenAwarePolicy(new RoundRobinPolicy()) } }
        : { localDataCenter: settings.localDataCenter }),
      ...(settings.credentials === null ? {} : { authProvider: authProviderOf(settings.credentials) }),
      ...(settings.tls === null
        ? {}
        : {
            sslOptions: {
              rejectUnauthorized: settings.tls.verify,
              ...(settings.tls.ca === null ? {} : { ca: settings.tls.ca }),
            },
          }),
      encoding: { useBigIntAsLong: true },
      socketOptions: { connectTimeout: connectTimeoutMs, readTimeout: readTimeoutMs },
      queryOptions: { prepare: true, consistency: types.consistencies.localQuorum },
      pooling: { warmup: false },
      refreshSchemaDelay: 100,
    });
  }

  async connect(): Promise<void> {
    try {
      await this.#attempt("connecting", () => this.#client.connect());
    } catch (error) {
      await this.close();
      throw error;
    }
  }

  async define(query: string): Promise<void> {
    const what = query.split("(")[0]?.trim() ?? query;
    await this.#attempt(what, () => this.#client.execute(query, [], { prepare: false }));
  }

  async select(
    { query, values }: Statement,
    consistency: "local" | "serial" = "local",
  ): Promise<readonly CassandraRow[]> {
    const level = consistency === "serial" ? types.consistencies.localSerial : types.consistencies.localQuorum;
    return this.#attempt(`reading (${shortened(query)})`, async () => {
      const options = { prepare: true, consistency: level, isIdempotent: true, autoPage: false, fetchSize: 5000 };
      const rows: CassandraRow[] = [];
      for (let pageState: string | undefined, isFirst = true; isFirst || pageState !== undefined; isFirst = false) {
        const page = await this.#client.execute(
          query,
          [...values],
          pageState === undefined ? options : { ...options, pageState },
        );
        rows.push(...page.rows.map(toRow));
        pageState = page.pageState ?? undefined;
      }
      return rows;
    });
  }

  async write(groups: readonly (readonly Statement[])[], concurrency = defaultConcurrency): Promise<void> {
    let next = 0;
    let failed = false;
    const lane = async (): Promise<void> => {
      for (let group = groups[next++]; group !== undefined && !failed; group = groups[next++]) {
        try {
          await this.#writeGroup(group);
        } catch (error) {
          failed = true;
          throw error;
        }
      }
    };
    const lanes = Array.from({ length: Math.min(concurrency, groups.length) }, lane);
    const results = await Promise.allSettled(lanes);
    const failure = results.find((result) => result.status === "rejected");
    if (failure !== undefined) throw failure.reason;
  }

  async compareAndSet(statements: readonly Statement[]): Promise<Conditional> {
    const [first] = statements;
    if (first === undefined) return { applied: true, found: [] };
    return this.#attempt(`comparing and setting (${shortened(first.query)})`, async () => {
      const options = { prepare: true, logged: true, serialConsistency: types.consistencies.localSerial };
      const result = await this.#client.batch(statements.map(toQuery), options);
      return { applied: result.wasApplied(), found: result.rows?.map(toRow) ?? [] };
    });
  }

  async close(): Promise<void> {
    await this.#client.shutdown();
  }

  async #writeGroup(group: readonly Statement[]): Promise<void> {
    const [first, ...others] = group;
    if (first === undefined) return;
    await this.#attempt(`writing (${shortened(first.query)})`, async () => {
      // Every write names its own time, so repeating one is a no-op.
      if (others.length === 0)
        await this.#client.execute(first.query, [...first.values], { prepare: true, isIdempotent: true });
      else await this.#client.batch(group.map(toQuery), { prepare: true, logged: false, isIdempotent: true });
    });
  }

  async #attempt<T>(what: string, work: () => Promise<T>): Promise<T> {
    try {
      return await work();
    } catch (error) {
      throw cassandraErrorOf(what, this.#hosts, error);
    }
  }
}

function authProviderOf({ username, password }: { readonly username: string; readonly password: string }) {
  return new auth.PlainTextAuthProvider(username, password);
}

function toQuery({ query, values }: Statement): { query: string; params: unknown[] } {
  return { query, params: [...values] };
}

function toRow(row: types.Row): CassandraRow {
  return Object.fromEntries(row.keys().map((key) => [key, row.get(key)]));
}

function shortened(query: string): string {
  const line = query.replace(/\s+/g, " ").trim();
  return line.length <= 80 ? line : `${line.slice(0, 80)}...`;
}
