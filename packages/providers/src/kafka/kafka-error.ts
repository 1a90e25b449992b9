/** What can go wrong with Kafka, in words that say what was tried, on what, and what to do. */

export type KafkaErrorCode =
  /** The connection is not complete or contradicts itself. */
  | "bad_connection"
  /** No broker answers. */
  | "unavailable"
  /** The broker refuses the login. */
  | "not_authenticated"
  /** The broker refuses the request. */
  | "not_authorized"
  /** A broker answers too late. */
  | "timeout"
  | "unknown_topic"
  /** Retention took records of a range before they were read. */
  | "range_gone"
  /** A record or batch is larger than the broker takes. */
  | "too_large"
  | "failed";

export class KafkaError extends Error {
  override readonly name = "KafkaError";
  readonly code: KafkaErrorCode;

  constructor(code: KafkaErrorCode, message: string, options: ErrorOptions = {}) {
    super(message, options);
    this.code = code;
  }
}

/** What was tried, on which brokers: the first half of every message. */
export interface Attempt {
  readonly what: string;
  readonly brokers: string;
}

const advice: Readonly<Record<KafkaErrorCode, string>> = {
  bad_connection: "correct the connection",
  unavailable: "check that the broker runs and that the connection names its host and port",
  not_authenticated: "check login, password and security.protocol of the connection",
  not_authorized: "grant this user the rights on the topic",
  timeout: "the broker is overloaded or out of reach; look at its log",
  unknown_topic: "create the topic or correct its name",
  range_gone: "the topic's retention deleted records before they were read; raise retention.ms",
  too_large: "raise max.message.bytes of the topic",
  failed: "look at the broker's log",
};

/** Translates an error of the client library. */
export function kafkaErrorOf(attempt: Attempt, error: unknown): KafkaError {
  if (error instanceof KafkaError) return error;
  const causes = flatten(error, 0);
  const code = causes.map(codeOf).find((found) => found !== null) ?? "failed";
  const reason = [...new Set(causes.filter((cause) => !isWrapper(cause)).map(messageOf))].slice(0, 2).join("; ");
  return new KafkaError(
    code,
    `Kafka: ${attempt.what} on ${attempt.brokers} failed: ${reason}. To do: ${advice[code]}.`,
    {
      cause: error,
    },
  );
}

/** Every error that is wrapped in `error`, outermost first; bounded against circles. */
function flatten(error: unknown, depth: number): unknown[] {
  if (depth > 8) return [];
  const parts = error instanceof AggregateError ? error.errors : [];
  const cause = error instanceof Error && error.cause !== undefined ? [error.cause] : [];
  return [error, ...[...parts, ...cause].flatMap((part) => flatten(part, depth + 1))];
}

function isWrapper(error: unknown): boolean {
  return error instanceof AggregateError || (error instanceof Error && error.cause !== undefined);
}

function messageOf(error: unknown): string {
  return (error instanceof Error ? error.message : String(error)).replace(/\.$/, "");
}

function codeOf(error: unknown): KafkaErrorCode | null {
  if (!(error instanceof Error)) return null;
  const { code, apiId } = error as { code?: unknown; apiId?: unknown };
  return codesByApi[String(apiId)] ?? codesByLibrary[String(code)] ?? null;
}

const codesByApi: Readonly<Record<string, KafkaErrorCode>> = {
  UNKNOWN_TOPIC_OR_PARTITION: "unknown_topic",
  UNKNOWN_TOPIC_ID: "unknown_topic",
  OFFSET_OUT_OF_RANGE: "range_gone",
  MESSAGE_TOO_LARGE: "too_large",
  RECORD_LIST_TOO_LARGE: "too_large",
  TOPIC_AUTHORIZATION_FAILED: "not_authorized",
  GROUP_AUTHORIZATION_FAILED: "not_authorized",
  CLUSTER_AUTHORIZATION_FAILED: "not_authorized",
  SASL_AUTHENTICATION_FAILED: "not_authenticated",
  UNSUPPORTED_SASL_MECHANISM: "not_authenticated",
  REQUEST_TIMED_OUT: "timeout",
};

const codesByLibrary: Readonly<Record<string, KafkaErrorCode>> = {
  PLT_KFK_AUTHENTICATION: "not_authenticated",
  PLT_KFK_TIMEOUT: "timeout",
  PLT_KFK_NETWORK: "unavailable",
  ECONNREFUSED: "unavailable",
  ECONNRESET: "unavailable",
  ENOTFOUND: "unavailable",
  EAI_AGAIN: "unavailable",
  ETIMEDOUT: "unavailable",
};
