/**
 * From an Airflow connection to the settings of a client: login, password, a list of hosts, port, the keyspace in
 * `schema`, and in the extra `local_data_center`, `replication` and `ssl`.
 */
import type { ConnectionResult } from "@updraft/sdk";
import { CassandraError } from "./cassandra-error.ts";

export interface CassandraSettings {
  /** Each `host:port`. */
  readonly contactPoints: readonly string[];
  readonly credentials: { readonly username: string; readonly password: string } | null;
  readonly keyspace: string | null;
  /** null: whichever data center the hosts are in. */
  readonly localDataCenter: string | null;
  /** Replicas of a keyspace that has to be made: a number for one data center, or a number for each by name. */
  readonly replication: number | Readonly<Record<string, number>>;
  readonly tls: { readonly ca: string | null; readonly verify: boolean } | null;
}

const defaultPort = 9042;
const knownExtras = ["local_data_center", "replication", "ssl", "ssl_ca", "ssl_verify"];
const keyspaceName = /^[a-z][a-z0-9_]{0,47}$/;

export function cassandraSettings(connection: ConnectionResult): CassandraSettings {
  const extra = readExtra(connection);
  const dataCenter = extra.local_data_center;
  if (dataCenter !== undefined && typeof dataCenter !== "string")
    return refuse(connection, "local_data_center in its extra is not a text");
  return {
    contactPoints: readHosts(connection),
    credentials:
      (connection.login ?? "") === ""
        ? null
        : { username: connection.login ?? "", password: connection.password ?? "" },
    keyspace: readKeyspace(connection),
    localDataCenter: dataCenter ?? null,
    replication: readReplication(connection, extra.replication),
    tls:
      extra.ssl === true
        ? { ca: typeof extra.ssl_ca === "string" ? extra.ssl_ca : null, verify: extra.ssl_verify !== false }
        : null,
  };
}

function readHosts(connection: ConnectionResult): readonly string[] {
  const hosts = (connection.host ?? "")
    .split(",")
    .map((host) => host.trim())
    .filter((host) => host !== "");
  if (hosts.length === 0) return refuse(connection, "it names no host");
  return hosts.map((host) => (/:\d+$/.test(host) ? host : `${host}:${connection.port ?? defaultPort}`));
}

/** Only names that need no quotes: the name goes into statements that take no parameter there. */
function readKeyspace(connection: ConnectionResult): string | null {
  const { schema } = connection;
  if (schema === undefined || schema === null || schema === "") return null;
  if (!keyspaceName.test(schema))
    return refuse(connection, `its schema "${schema}" is no keyspace; use lower-case letters, digits and "_"`);
  return schema;
}

function readReplication(connection: ConnectionResult, value: unknown): CassandraSettings["replication"] {
  if (value === undefined) return 1;
  if (isReplicas(value)) return value;
  const centers = typeof value === "object" && value !== null ? Object.entries(value) : [];
  const valid = centers.length > 0 && centers.every(([name, count]) => /^[\w.-]+$/.test(name) && isReplicas(count));
  if (valid) return Object.fromEntries(centers);
  return refuse(connection, 'replication in its extra must be a number, or an object such as {"datacenter1": 3}');
}

function isReplicas(value: unknown): value is number {
  return typeof value === "number" && Number.isInteger(value) && value > 0;
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
  const unknown = Object.keys(extra).find((key) => !knownExtras.includes(key));
  if (unknown !== undefined)
    return refuse(connection, `its extra has the unknown key "${unknown}"; known are ${knownExtras.join(", ")}`);
  return Object.fromEntries(Object.entries(extra));
}

function refuse(connection: ConnectionResult, reason: string): never {
  throw new CassandraError("bad_connection", `Connection "${connection.id}" can't be used for Cassandra: ${reason}.`);
}
