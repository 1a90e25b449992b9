/**
 * The options as data: which exist in which dialect, and what each may hold.
 *
 * Unknown names are refused where they are written. Values are checked when the Dag is read, as Airflow does, so that
 * one wrong value costs one Dag and not the file.
 */
import { DAG_RUN_TYPES, TRIGGER_RULES, WEIGHT_RULES } from "@updraft/dag-core";
import { conditionOf, referenceOf } from "./asset.ts";
import { isAssetSchedule } from "./asset-schedule.ts";
import { describeValue, isPlainObject } from "./json.ts";
import type { DagSpec, TaskSpec, UpdraftDagSpec, UpdraftTaskSpec } from "./spec-types.ts";
import { didYouMean } from "./suggestion.ts";

interface FieldKind {
  readonly expected: string;
  readonly accepts: (value: unknown) => boolean;
  /** Code of the author: kept as it is, and not part of the Dag's form. */
  readonly isCode?: boolean;
}

const text: FieldKind = { expected: "a string", accepts: (value) => typeof value === "string" };
const name: FieldKind = {
  expected: "a non-empty string",
  accepts: (value) => typeof value === "string" && value !== "",
};
const flag: FieldKind = { expected: "a boolean", accepts: (value) => typeof value === "boolean" };
const date: FieldKind = {
  expected: "a valid Date",
  accepts: (value) => value instanceof Date && !Number.isNaN(value.getTime()),
};
const count: FieldKind = {
  expected: "a whole number from 0",
  accepts: (value) => Number.isSafeInteger(value) && Number(value) >= 0,
};
const positive: FieldKind = {
  expected: "a whole number from 1",
  accepts: (value) => Number.isSafeInteger(value) && Number(value) >= 1,
};
const integer: FieldKind = { expected: "a whole number", accepts: Number.isSafeInteger };
const seconds: FieldKind = {
  expected: "a number of seconds from 0",
  accepts: (value) => typeof value === "number" && Number.isFinite(value) && value >= 0,
};
/** Read where the group is declared. */
const mapped: FieldKind = { expected: "something to map over", accepts: () => true };
const factor: FieldKind = { ...seconds, expected: "a number from 0" };
const texts: FieldKind = {
  expected: "an array of strings",
  accepts: (value) => Array.isArray(value) && value.every((item) => typeof item === "string"),
};
const schedule: FieldKind = {
  expected: "a string",
  accepts: (value) =>
    typeof value === "string" || isPlainObject(value) || Array.isArray(value) || conditionOf(value) !== null,
};
const assets: FieldKind = {
  expected: "an array of assets",
  accepts: (value) => Array.isArray(value) && value.every((item) => referenceOf(item) !== null),
};

const code: FieldKind = { expected: "a function", accepts: (value) => typeof value === "function", isCode: true };
const codes: FieldKind = {
  expected: "an object of functions",
  accepts: (value) => isPlainObject(value) && Object.values(value).every((item) => typeof item === "function"),
  isCode: true,
};

const deferral: FieldKind = {
  expected: "an object with a trigger",
  accepts: (value) =>
    isPlainObject(value) && isPlainObject(value.trigger) && typeof value.trigger.classpath === "string",
};

function oneOf(values: readonly string[]): FieldKind {
  return { expected: `one of ${values.join(", ")}`, accepts: (value) => values.some((known) => known === value) };
}

function listOf(values: readonly string[]): FieldKind {
  return {
    expected: `an array of ${values.join(", ")}`,
    accepts: (value) => Array.isArray(value) && value.every((item) => values.includes(item)),
  };
}

export type Fields<S> = { readonly [K in keyof Required<S>]: FieldKind };

const AIRFLOW_DAG_FIELDS: Fields<DagSpec> = {
  schedule,
  description: text,
  dagDisplayName: text,
  docMd: text,
  startDate: date,
  endDate: date,
  tags: texts,
  maxActiveTasks: positive,
  maxActiveRuns: count,
  maxConsecutiveFailedDagRuns: count,
  dagrunTimeout: seconds,
  catchup: flag,
  failFast: flag,
  renderTemplateAsNativeObj: flag,
  disableBundleVersioning: flag,
  isPausedUponCreation: flag,
  queue: name,
};

const AIRFLOW_TASK_FIELDS: Fields<TaskSpec> = {
  taskId: name,
  owner: text,
  startDate: date,
  endDate: date,
  triggerRule: oneOf(TRIGGER_RULES),
  dependsOnPast: flag,
  ignoreFirstDependsOnPast: flag,
  waitForPastDependsBeforeSkipping: flag,
  waitForDownstream: flag,
  retries: count,
  retryDelay: seconds,
  maxRetryDelay: seconds,
  retryExponentialBackoff: factor,
  executionTimeout: seconds,
  queue: name,
  pool: name,
  poolSlots: positive,
  priorityWeight: integer,
  weightRule: oneOf(WEIGHT_RULES),
  executor: text,
  doXcomPush: flag,
  emailOnFailure: flag,
  emailOnRetry: flag,
  docMd: text,
  mapIndexTemplate: text,
  maxActiveTisPerDag: positive,
  maxActiveTisPerDagrun: positive,
  returnsDagResult: flag,
};

/** Which options a Dag class takes. */
export interface Dialect {
  readonly dagFields: Readonly<Record<string, FieldKind>>;
  readonly taskFields: Readonly<Record<string, FieldKind>>;
  /** Whether `schedule` may be an object (interval, cron with a time zone). */
  readonly objectSchedules: boolean;
  readonly groupFields: Readonly<Record<string, FieldKind>>;
  /** Whether refs have `asSetup()` and `asTeardown()`. */
  readonly hasSetups: boolean;
  /** Whether tasks and groups can be mapped. */
  readonly hasMapping: boolean;
}

export const AIRFLOW_DIALECT: Dialect = {
  dagFields: AIRFLOW_DAG_FIELDS,
  taskFields: AIRFLOW_TASK_FIELDS,
  objectSchedules: false,
  groupFields: { prefixGroupId: flag },
  hasSetups: false,
  hasMapping: false,
};

const UPDRAFT_DAG_FIELDS: Fields<UpdraftDagSpec> = {
  ...AIRFLOW_DAG_FIELDS,
  timezone: name,
  allowedRunTypes: listOf(DAG_RUN_TYPES),
  rerunWithLatestVersion: flag,
  deadline: { expected: "an object or an array of objects", accepts: (value) => typeof value === "object" },
  retries: count,
  retryDelay: seconds,
};
const UPDRAFT_TASK_FIELDS: Fields<UpdraftTaskSpec> = {
  ...AIRFLOW_TASK_FIELDS,
  isolation: oneOf(["warm", "process"]),
  methods: codes,
  retryPolicy: code,
  startFromTrigger: deferral,
  multipleOutputs: flag,
  inlets: assets,
  outlets: assets,
  setup: flag,
  teardown: flag,
  onFailureFailDagrun: flag,
};

export const UPDRAFT_DIALECT: Dialect = {
  dagFields: UPDRAFT_DAG_FIELDS,
  taskFields: UPDRAFT_TASK_FIELDS,
  objectSchedules: true,
  groupFields: { prefixGroupId: flag, retries: count, retryDelay: seconds, expand: mapped, expandKwargs: mapped },
  hasSetups: true,
  hasMapping: true,
};

/** A frozen deep copy of the options of `what`, refusing what can't be recorded and options that don't exist. */
export function recordSpec<S extends object>(
  spec: unknown,
  fields: Readonly<Record<string, FieldKind>>,
  what: string,
): S {
  if (!isPlainObject(spec))
    throw new Error(`The options of ${what} must be a plain object, not ${describeValue(spec)}`);
  if (Object.getOwnPropertySymbols(spec).length > 0) throw new Error(`The options of ${what} can't have symbol keys`);
  for (const key of Object.keys(spec)) {
    if (!Object.hasOwn(fields, key)) {
      throw new Error(`Unknown option "${key}" for ${what}${didYouMean(key, Object.keys(fields))}`);
    }
  }
  const copies = Object.entries(spec).map(([key, value]) => [
    key,
    fields[key]?.isCode === true ? value : freezeCopy(value, `${key} of ${what}`, new Set()),
  ]);
  // The caller names the type of the options; their values are checked by `checkSpecValues` when the Dag is read.
  return Object.freeze(Object.fromEntries(copies)) as S;
}

/** The complaint about the first value of the wrong type, or null. */
export function wrongValueIn(spec: object, fields: Readonly<Record<string, FieldKind>>, what: string): string | null {
  for (const [key, value] of Object.entries(spec)) {
    const kind = fields[key];
    if (value === undefined || kind === undefined || kind.accepts(value)) continue;
    const hint =
      typeof value === "string" && kind.expected.startsWith("one of")
        ? didYouMean(value, kind.expected.slice("one of ".length).split(", "))
        : "";
    return `${key} for ${what} must be ${kind.expected}, not ${describeValue(value)}${hint}`;
  }
  return null;
}

function freezeCopy(value: unknown, path: string, seen: Set<object>): unknown {
  if (conditionOf(value) !== null || isAssetSchedule(value)) return value;
  if (value instanceof Date) return Object.freeze(new Date(value.getTime()));
  if (typeof value === "function" || typeof value === "symbol")
    throw new Error(`${path} can't be recorded: it is ${describeValue(value)}`);
  if (typeof value !== "object" || value === null) return value;
  if (seen.has(value)) throw new Error(`${path} can't be recorded: it refers to itself`);
  if (!Array.isArray(value) && !isPlainObject(value))
    throw new Error(`${path} can't be recorded: it is ${describeValue(value)}`);
  seen.add(value);
  const copy = Array.isArray(value)
    ? value.map((item, index) => freezeCopy(item, `${path}[${index}]`, seen))
    : Object.fromEntries(Object.entries(value).map(([key, item]) => [key, freezeCopy(item, `${path}.${key}`, seen)]));
  seen.delete(value);
  return Object.freeze(copy);
}
