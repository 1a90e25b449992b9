/** What can go wrong with Cassandra, in words that say what was tried, on what, and what to do. */

export type CassandraErrorCode =
  /** The connection is not complete or contradicts itself. */
  | "bad_connection"
  /** No node answers. */
  | "unavailable"
  | "not_authenticated"
  | "not_authorized"
  /** A node answers too late. */
  | "timeout"
  /** Too few replicas are up for the consistency asked. */
  | "too_few_replicas"
  /** The statement or the table is not what Cassandra expects. */
  | "invalid"
  | "failed";

export class CassandraError extends Error {
  override readonly name = "CassandraError";
  readonly code: CassandraErrorCode;

  constructor(code: CassandraErrorCode, message: string, options: ErrorOptions = {}) {
    super(message, options);
    this.code = code;
  }
}

const advice: Readonly<Record<CassandraErrorCode, string>> = {
  bad_connection: "correct the connection",
  unavailable: "check that Cassandra runs and that the connection names its hosts and port",
  not_authenticated: "check login and password of the connection",
  not_authorized: "grant this role the rights on the keyspace",
  timeout: "Cassandra is overloaded or out of reach; look at its log and load",
  too_few_replicas: "bring the missing replicas up or lower the replication factor",
  invalid: "compare the table with the one this version makes",
  failed: "look at Cassandra's log",
};

/** Translates an error of the driver. */
export function cassandraErrorOf(what: string, hosts: string, error: unknown): CassandraError {
  if (error instanceof CassandraError) return error;
  const causes = [error, ...innerErrorsOf(error)];
  const code =
    causes
      .toReversed()
      .map(codeOf)
      .find((found) => found !== null) ?? "failed";
  const reason = messageOf(causes.at(-1)).replace(/\.$/, "");
  return new CassandraError(code, `Cassandra: ${what} on ${hosts} failed: ${reason}. To do: ${advice[code]}.`, {
    cause: error,
  });
}

/** The driver keeps the errors of each host it tried beside its own. */
function innerErrorsOf(error: unknown): unknown[] {
  const inner = error instanceof Error && "innerErrors" in error ? error.innerErrors : null;
  return typeof inner === "object" && inner !== null ? Object.values(inner) : [];
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}

function codeOf(error: unknown): CassandraErrorCode | null {
  if (!(error instanceof Error)) return null;
  if (error.name === "AuthenticationError" || /requires authentication/.test(error.message)) return "not_authenticated";
  if (error.name === "OperationTimedOutError") return "timeout";
  const { code } = error as { code?: unknown };
  return (
    codesByNumber.get(Number(code)) ??
    (error.name === "NoHostAvailableError" ? "unavailable" : (codesByText[String(code)] ?? null))
  );
}

/** Error codes of the native protocol. */
const codesByNumber: ReadonlyMap<number, CassandraErrorCode> = new Map([
  [0x0100, "not_authenticated"],
  [0x1000, "too_few_replicas"],
  [0x1001, "timeout"],
  [0x1002, "timeout"],
  [0x1100, "timeout"],
  [0x1200, "timeout"],
  [0x2000, "invalid"],
  [0x2100, "not_authorized"],
  [0x2200, "invalid"],
  [0x2300, "invalid"],
]);

const codesByText: Readonly<Record<string, CassandraErrorCode>> = {
  ECONNREFUSED: "unavailable",
  ECONNRESET: "unavailable",
  ENOTFOUND: "unavailable",
  EAI_AGAIN: "unavailable",
  ETIMEDOUT: "unavailable",
};
