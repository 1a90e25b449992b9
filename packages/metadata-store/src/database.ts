/**
 * The pool of connections, and transactions on it. The only place that knows `pg`.
 *
 * Instants travel as epoch milliseconds: `timestamptz` is read as a number and written from one.
 */

import type { Logger } from "@updraft/service-kit";
import pg from "pg";
import { StoreUnavailableError } from "./errors.ts";
import { Gate } from "./gate.ts";
import { PacketSocket } from "./packet-socket.ts";
import { type Write, WriteBatch } from "./write-batch.ts";

/** Runs one statement. A `name` prepares it once for each connection. */
export interface Queryable {
  rows<R>(statement: Statement): Promise<R[]>;
}

/**
 * Statements of one transaction. They run in the order in which they are given, and those that are given without
 * waiting for each other's answers travel together, as `BEGIN` does with the first.
 */
export interface Transaction extends Queryable {
  /** A write that travels with what comes next. If it fails, so does the transaction. */
  send(write: Write): void;
}

interface Statement {
  readonly name?: string;
  readonly text: string;
  readonly values?: readonly unknown[];
}

export interface Database extends Queryable {
  /** All or nothing. Repeated when Postgres ended it for a deadlock; so `work` must only touch the database. */
  transaction<T>(work: (tx: Transaction) => Promise<T>): Promise<T>;
  close(): Promise<void>;
}

const MOST_CONNECTIONS = 12;
const CONNECT_TIMEOUT_MS = 5000;
const STATEMENT_TIMEOUT_MS = 30_000;
const MOST_REPEATS = 5;
const IDLE_CONNECTION_MS = 60_000;

/** Named, as unprepared ones would travel alone. */
const BEGIN = { name: "begin", text: "BEGIN" };
const COMMIT = { name: "commit", text: "COMMIT" };

const TIMESTAMPTZ = 1184;
const INT8 = 20;

const types = new pg.TypeOverrides();
types.setTypeParser(TIMESTAMPTZ, (text: string) => Date.parse(text.replace(" ", "T").replace(/([+-]\d\d)$/, "$1:00")));
types.setTypeParser(INT8, Number);

export function openDatabase(databaseUrl: string, logger: Logger): Database {
  const address = addressOf(databaseUrl);
  const pool = new pg.Pool({
    connectionString: databaseUrl,
    max: MOST_CONNECTIONS,
    connectionTimeoutMillis: CONNECT_TIMEOUT_MS,
    statement_timeout: STATEMENT_TIMEOUT_MS,
    keepAlive: true,
    pipeline: true,
    stream: () => new PacketSocket(),
    // A connection that is opened anew has to prepare every statement again.
    idleTimeoutMillis: IDLE_CONNECTION_MS,
    types,
  });
  // In front of the pool, whose own queue counts waiting for a busy connection as failing to connect.
  const gate = new Gate(MOST_CONNECTIONS);
  // An idle connection that breaks is replaced by the pool; without a listener it would end the process.
  pool.on("error", (error) => logger.warn({ err: error, postgres: address }, "a connection to Postgres broke"));

  async function withClient<T>(work: (client: pg.PoolClient) => Promise<T>): Promise<T> {
    await gate.enter();
    try {
      return await withFreeClient(work);
    } finally {
      gate.leave();
    }
  }

  async function withFreeClient<T>(work: (client: pg.PoolClient) => Promise<T>): Promise<T> {
    const client = await pool.connect().catch((error: unknown) => {
      const unavailable = new StoreUnavailableError(address, error);
      // Whoever waits would find the same, one after the other.
      gate.refuse(unavailable);
      throw unavailable;
    });
    let broken: Error | undefined;
    // Whatever it runs fails too; but without a listener the error itself would end the process.
    const onError = (error: Error) => {
      broken ??= error;
    };
    client.on("error", onError);
    try {
      return await work(client);
    } catch (error) {
      if (isConnectionLoss(error)) {
        broken ??= error instanceof Error ? error : new Error(String(error));
        throw new StoreUnavailableError(address, error);
      }
      throw error;
    } finally {
      client.off("error", onError);
      client.release(broken);
    }
  }

  async function transactOnce<T>(client: pg.PoolClient, work: (tx: Transaction) => Promise<T>): Promise<T> {
    // What follows the statement that failed only says that the transaction is aborted.
    let failure: { readonly error: unknown } | undefined;
    const given = <R>(answer: Promise<R>): Promise<R> =>
      answer.catch((error: unknown) => {
        failure ??= { error };
        throw failure.error;
      });
    const unheard = (answer: Promise<unknown>) => void given(answer).catch(() => undefined);
    const writes = new WriteBatch();
    const flush = () => {
      const statement = writes.take();
      if (statement !== null) unheard(rowsOf(client, statement));
    };
    unheard(client.query(BEGIN));
    try {
      const result = await work({
        rows(statement) {
          flush();
          return given(rowsOf(client, statement));
        },
        send(write) {
          if (writes.add(write)) return;
          flush();
          writes.add(write);
        },
      });
      flush();
      await client.query(COMMIT);
      if (failure !== undefined) throw failure.error;
      return result;
    } catch (error) {
      await client.query("ROLLBACK").catch(() => undefined);
      throw error;
    }
  }

  return {
    rows: (statement) => withClient((client) => rowsOf(client, statement)),
    transaction: (work) =>
      withClient(async (client) => {
        for (let repeats = 0; ; repeats += 1) {
          try {
            return await transactOnce(client, work);
          } catch (error) {
            if (!isTransient(error) || repeats === MOST_REPEATS) throw error;
          }
        }
      }),
    close: () => pool.end(),
  };
}

/** A connection of its own, outside the pool, as NOTIFY and LISTEN need one. */
export function connectAlone(databaseUrl: string): pg.Client {
  return new pg.Client({
    connectionString: databaseUrl,
    connectionTimeoutMillis: CONNECT_TIMEOUT_MS,
    keepAlive: true,
    pipeline: true,
    types,
  });
}

async function rowsOf<R>(client: pg.PoolClient, { name, text, values = [] }: Statement): Promise<R[]> {
  const query = { text, values: values.map(parameter), ...(name === undefined ? {} : { name }) };
  const result = await client.query(query);
  return result.rows as R[];
}

/** An instant as a parameter. */
export function at(instant: number | null): Date | null {
  return instant === null ? null : new Date(instant);
}

/** Postgres refuses NUL in texts; what people write may hold one. */
function parameter(value: unknown): unknown {
  if (typeof value === "string") return value.includes("\0") ? value.replaceAll("\0", "\ufffd") : value;
  return Array.isArray(value) ? value.map(parameter) : value;
}

/** The code of a Postgres error, such as `23505`. */
function sqlState(error: unknown): string | undefined {
  return error instanceof pg.DatabaseError ? error.code : undefined;
}

function isTransient(error: unknown): boolean {
  const code = sqlState(error);
  return code === "40P01" || code === "40001";
}

/** Shutdown of the server (57P0x), its start (57P03), broken sockets. */
function isConnectionLoss(error: unknown): boolean {
  const code = sqlState(error);
  if (code !== undefined) return code.startsWith("57P") || code.startsWith("08");
  return (
    error instanceof Error &&
    /Connection terminated|ECONNRE|EPIPE|ETIMEDOUT|not queryable/.test(
      `${error.message} ${(error as NodeJS.ErrnoException).code ?? ""}`,
    )
  );
}

function addressOf(databaseUrl: string): string {
  return URL.canParse(databaseUrl) ? new URL(databaseUrl).host : "the given address";
}
