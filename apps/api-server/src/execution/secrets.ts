/** Connections and variables as tasks get them: the server's environment first, as in Airflow, then the store. */
import type { ConnectionRow, MetadataStore } from "@updraft/metadata-store";
import type { Environment } from "@updraft/service-kit";
import { ConnectionFormError, parseConnection } from "./connection-uri.ts";
import { ExecutionError } from "./execution-error.ts";

export interface Secrets {
  connection(connId: string): Promise<ConnectionRow | null>;
  variable(key: string): Promise<string | null>;
}

export function createSecrets(store: MetadataStore, environment: Environment): Secrets {
  return {
    async connection(connId) {
      const text = environment[`AIRFLOW_CONN_${connId.toUpperCase()}`];
      return text === undefined || text === "" ? store.connection(connId) : readConnection(connId, text);
    },
    variable: async (key) => environment[`AIRFLOW_VAR_${key.toUpperCase()}`] ?? store.variable(key),
  };
}

function readConnection(connId: string, text: string): ConnectionRow {
  try {
    return parseConnection(connId, text);
  } catch (error) {
    if (error instanceof ConnectionFormError) throw new ExecutionError(400, "malformed_connection", error.message);
    throw error;
  }
}
