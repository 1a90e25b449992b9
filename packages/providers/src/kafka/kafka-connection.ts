/**
 * From an Airflow connection to the settings of a client.
 *
 * Airflow's Kafka connections keep everything in the extra, by the names of librdkafka (`bootstrap.servers`,
 * `security.protocol`, `sasl.mechanism` ...); host and port are an easier way to say the brokers. Both are read.
 */
import type { ConnectionResult } from "@updraft/sdk";
import { KafkaError } from "./kafka-error.ts";

type SaslMechanism = "PLAIN" | "SCRAM-SHA-256" | "SCRAM-SHA-512";

export interface KafkaSettings {
  /** Each `host:port`. */
  readonly brokers: readonly string[];
  readonly sasl: { readonly mechanism: SaslMechanism; readonly username: string; readonly password: string } | null;
  readonly tls: { readonly ca: string | null; readonly verify: boolean } | null;
}

const saslMechanisms: readonly SaslMechanism[] = ["PLAIN", "SCRAM-SHA-256", "SCRAM-SHA-512"];
const protocols = ["PLAINTEXT", "SSL", "SASL_PLAINTEXT", "SASL_SSL"];
const defaultPort = 9092;

export function kafkaSettings(connection: ConnectionResult): KafkaSettings {
  const extra = readExtra(connection);
  const protocol = readProtocol(connection, extra);
  return {
    brokers: readBrokers(connection, extra),
    sasl: protocol.startsWith("SASL") ? readSasl(connection, extra) : null,
    tls: protocol.endsWith("SSL")
      ? { ca: text(extra, "ssl.ca.pem"), verify: text(extra, "enable.ssl.certificate.verification") !== "false" }
      : null,
  };
}

function readExtra(connection: ConnectionResult): Readonly<Record<string, unknown>> {
  if (connection.extra === undefined || connection.extra === null || connection.extra.trim() === "") return {};
  let extra: unknown;
  try {
    extra = JSON.parse(connection.extra);
  } catch (error) {
    return refuse(connection, `its extra is not JSON (${error instanceof Error ? error.message : String(error)})`);
  }
  if (typeof extra !== "object" || extra === null || Array.isArray(extra))
    return refuse(connection, "its extra is not a JSON object");
  return Object.fromEntries(Object.entries(extra));
}

function readBrokers(connection: ConnectionResult, extra: Readonly<Record<string, unknown>>): readonly string[] {
  const listed = text(extra, "bootstrap.servers") ?? connection.host ?? "";
  const brokers = listed
    .split(",")
    .map((broker) => broker.trim())
    .filter((broker) => broker !== "");
  if (brokers.length === 0)
    return refuse(connection, 'it names no broker; set host and port, or "bootstrap.servers" in the extra');
  return brokers.map((broker) => (/:\d+$/.test(broker) ? broker : `${broker}:${connection.port ?? defaultPort}`));
}

function readProtocol(connection: ConnectionResult, extra: Readonly<Record<string, unknown>>): string {
  const hasLogin = (connection.login ?? "") !== "" || text(extra, "sasl.username") !== null;
  const protocol = (text(extra, "security.protocol") ?? (hasLogin ? "SASL_PLAINTEXT" : "PLAINTEXT")).toUpperCase();
  if (!protocols.includes(protocol))
    return refuse(connection, `its security.protocol is ${protocol}; it can be ${protocols.join(", ")}`);
  return protocol;
}

function readSasl(connection: ConnectionResult, extra: Readonly<Record<string, unknown>>): KafkaSettings["sasl"] {
  const named = (text(extra, "sasl.mechanism") ?? text(extra, "sasl.mechanisms") ?? "PLAIN").toUpperCase();
  const mechanism = saslMechanisms.find((known) => known === named);
  if (mechanism === undefined)
    return refuse(connection, `its sasl.mechanism is ${named}; it can be ${saslMechanisms.join(", ")}`);
  const username = text(extra, "sasl.username") ?? connection.login ?? "";
  const password = text(extra, "sasl.password") ?? connection.password ?? "";
  if (username === "") return refuse(connection, "it asks for SASL and has no login");
  return { mechanism, username, password };
}

function text(extra: Readonly<Record<string, unknown>>, key: string): string | null {
  const value = extra[key];
  return value === undefined || value === null || value === "" ? null : String(value);
}

function refuse(connection: ConnectionResult, reason: string): never {
  throw new KafkaError("bad_connection", `Connection "${connection.id}" can't be used for Kafka: ${reason}.`);
}
