/** `getClient()`: variables, connections, XComs and the state a task keeps across its retries. */
import { type AssetStateStores, createAssetStateStores } from "./asset-state.ts";
import { describeValue, type JsonValue, jsonRoundTrip } from "./json.ts";
import type { RawConnection, RunContext, XComLocator } from "./raw-client.ts";
import { assertKey } from "./state-key.ts";
import { currentScope, type TryScope } from "./try-scope.ts";
import { type XComSequence, xcomSequence } from "./xcom-sequence.ts";

/** A retention that never ends. */
export const NEVER_EXPIRE = "never_expire";

export interface GetXComOpts {
  readonly key: string;
  readonly dagId?: string | undefined;
  readonly runId?: string | undefined;
  readonly taskId?: string | undefined;
  readonly mapIndex?: number | undefined;
  readonly includePriorDates?: boolean | undefined;
}

export interface GetXComsOpts {
  /** "return_value" unless it is given. */
  readonly key?: string | undefined;
  readonly taskId: string;
  readonly dagId?: string | undefined;
  readonly runId?: string | undefined;
}

export interface SetXComOpts extends Omit<GetXComOpts, "includePriorDates"> {
  readonly value: unknown;
}

export interface ConnectionResult {
  readonly id: string;
  readonly type: string;
  readonly host?: string | null;
  readonly schema?: string | null;
  readonly login?: string | null;
  readonly password?: string | null;
  readonly port?: number | null;
  readonly extra?: string | null;
}

export interface TaskStateStoreSetOpts {
  /** Seconds, or `NEVER_EXPIRE`; unset takes the installation's default. */
  readonly retention?: number | typeof NEVER_EXPIRE | undefined;
}

/** Survives the retries of a task within one run. */
export interface TaskStateStore {
  get<T = JsonValue>(key: string): Promise<T | null>;
  set(key: string, value: unknown, options?: TaskStateStoreSetOpts): Promise<void>;
  delete(key: string): Promise<void>;
  clear(): Promise<void>;
}

export interface TaskClient {
  getVariable(key: string): Promise<string | null>;
  getVariableOrThrow(key: string): Promise<string>;
  setVariable(key: string, value: string, description?: string): Promise<void>;
  deleteVariable(key: string): Promise<void>;
  getXCom<T = JsonValue>(options: GetXComOpts): Promise<T | null>;
  setXCom(options: SetXComOpts): Promise<void>;
  getConnection(connectionId: string): Promise<ConnectionResult | null>;
  getConnectionOrThrow(connectionId: string): Promise<ConnectionResult>;
  readonly taskStateStore: TaskStateStore;
  readonly assetStateStore: AssetStateStores;
}

/** With what goes beyond Airflow's TypeScript SDK. */
export interface UpdraftTaskClient extends TaskClient {
  /** What the instances of a mapped task pushed: nothing is read before somebody looks. */
  getXComs<T = JsonValue>(options: GetXComsOpts): XComSequence<T>;
}

export class VariableNotFoundError extends Error {
  override readonly name = "VariableNotFoundError";
  readonly key: string;

  constructor(key: string) {
    super(`Variable "${key}" doesn't exist`);
    this.key = key;
  }
}

export class ConnectionNotFoundError extends Error {
  override readonly name = "ConnectionNotFoundError";
  readonly connId: string;

  constructor(connId: string) {
    super(`Connection "${connId}" doesn't exist`);
    this.connId = connId;
  }
}

/** The client of the running try. */
export function getClient(): UpdraftTaskClient {
  return createTaskClient(currentScope("getClient()"));
}

/** Keeps `value` out of logs from now on. */
export function maskSecret(value: string): void {
  currentScope("maskSecret()").client.maskSecret(value);
}

function createTaskClient(scope: TryScope): UpdraftTaskClient {
  const getVariable = async (key: string): Promise<string | null> => scope.client.getVariable(key);
  const getConnection = async (id: string): Promise<ConnectionResult | null> => {
    const connection = await scope.client.getConnection(id);
    return connection === null ? null : toConnectionResult(connection);
  };
  return {
    getVariable,
    getVariableOrThrow: async (key) => {
      const value = await getVariable(key);
      if (value === null) throw new VariableNotFoundError(key);
      return value;
    },
    setVariable: async (key, value, description) => scope.client.setVariable(key, value, description),
    deleteVariable: async (key) => scope.client.deleteVariable(key),
    getXCom: async <T>(options: GetXComOpts): Promise<T | null> => {
      const { includePriorDates = false } = options;
      const { found, value } = await scope.client.getXCom({ ...locate(scope.context, options), includePriorDates });
      // The author names the type of what was pushed; the wire carries any JSON.
      return found ? (value as T) : null;
    },
    getXComs: <T>({ key = "return_value", taskId, ...where }: GetXComsOpts) => {
      const { dagId = scope.context.dag_id, runId = scope.context.run_id } = where;
      return xcomSequence<T>(() => scope.client, { dagId, runId, taskId, key });
    },
    setXCom: async (options) =>
      scope.client.setXCom(locate(scope.context, options), jsonRoundTrip(options.value, `XCom "${options.key}"`)),
    getConnection,
    getConnectionOrThrow: async (id) => {
      const connection = await getConnection(id);
      if (connection === null) throw new ConnectionNotFoundError(id);
      return connection;
    },
    taskStateStore: createTaskStateStore(scope),
    assetStateStore: createAssetStateStores(() => scope.client),
  };
}

function createTaskStateStore(scope: TryScope): TaskStateStore {
  return {
    // The author names the type of what was stored; the wire carries any JSON.
    get: async <T>(key: string): Promise<T | null> => (await scope.client.getTaskState(assertKey(key))) as T | null,
    set: async (key, value, options = {}) => {
      assertKey(key);
      if (value === null || value === undefined)
        throw new TypeError(`The state "${key}" can't be ${String(value)}; use delete("${key}")`);
      await scope.client.setTaskState(key, jsonRoundTrip(value, `State "${key}"`), assertRetention(options.retention));
    },
    delete: async (key) => scope.client.deleteTaskState(assertKey(key)),
    clear: async () => scope.client.clearTaskState(),
  };
}

/** A task that is not named is the current one, with its map index; another task is taken as not mapped. */
function locate(context: RunContext, options: GetXComOpts): XComLocator {
  const { key, dagId = context.dag_id, runId = context.run_id, taskId = context.task_id } = options;
  const ownIndex = taskId === context.task_id ? context.map_index : -1;
  return { key, dagId, runId, taskId, mapIndex: options.mapIndex ?? ownIndex };
}

function toConnectionResult(raw: RawConnection): ConnectionResult {
  const { conn_id: id, conn_type: type, host, schema, login, password, port, extra } = raw;
  return { id, type, host, schema, login, password, port, extra };
}

function assertRetention(retention: unknown): number | typeof NEVER_EXPIRE | null {
  if (retention === undefined) return null;
  if (retention === NEVER_EXPIRE) return retention;
  if (typeof retention !== "number")
    throw new TypeError(`retention must be a number of seconds or NEVER_EXPIRE, not ${describeValue(retention)}`);
  if (!(retention > 0) || !Number.isFinite(retention))
    throw new RangeError(`retention must be above 0 seconds, not ${retention}`);
  return retention;
}
