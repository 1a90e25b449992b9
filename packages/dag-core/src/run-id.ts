/** Names of runs: made from type and time, or given by a person and checked. */
import { isoText } from "./instant-text.ts";
import { DAG_RUN_TYPES, type DagRunType, type Instant } from "./model.ts";

const GENERATED = /^(?:manual|scheduled|asset_triggered)__\d{4}-\d{2}-\d{2}T\d{2}:\d{2}:\d{2}\+00:00$/;
const ALLOWED = /^[A-Za-z0-9_.~:+-]+$/;
const MAX_LENGTH = 250;

/**
 * `scheduled__2026-03-01T06:05:04+00:00`. Runs without a logical date get a suffix, because two may share an instant.
 * Runs that an operator triggers keep the prefix `manual__`, as in Airflow.
 */
export function generateRunId(type: DagRunType, runAfter: Instant, suffix: string | null): string {
  const prefix = type === "operator_triggered" ? "manual" : type;
  return `${prefix}__${isoText(runAfter)}${suffix === null ? "" : `_${suffix}`}`;
}

/** The type that a run id claims by its prefix; manual without one. */
export function runTypeOfId(runId: string): DagRunType {
  return DAG_RUN_TYPES.find((type) => runId.startsWith(`${type}__`)) ?? "manual";
}

/** What is wrong with a run id given for a run of this type, as a sentence; null when it is fine. */
export function validateRunId(runId: string, type: DagRunType, allowedPattern: RegExp = ALLOWED): string | null {
  if (runId === "") return "The run id is empty";
  if (runId.length > MAX_LENGTH) return `The run id has ${runId.length} characters; at most ${MAX_LENGTH} are allowed`;
  if (runId.includes("..")) return `The run id '${runId}' must not contain '..'`;
  if (!GENERATED.test(runId) && !allowedPattern.test(runId)) {
    return `The run id '${runId}' has characters outside letters, digits and _ . ~ : + -`;
  }
  const claimed = runTypeOfId(runId);
  if (type !== "manual" || claimed === "manual") return null;
  return `A manual run must not be called '${runId}': the prefix '${claimed}__' belongs to ${claimed} runs`;
}
