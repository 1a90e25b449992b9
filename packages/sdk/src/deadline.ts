/** From `deadline` to alerts, complaining in the author's terms. */
import type { DeadlineAlert, DeadlineReference } from "@updraft/dag-core";
import { errorAt } from "./call-site.ts";
import type { DagModel } from "./dag-model.ts";
import { copyJson, describeValue, isPlainObject } from "./json.ts";

const PARTS = ["name", "reference", "interval", "callback"];
/** Airflow's default for the runs that an average is taken over. */
const AVERAGE_OVER = 10;

type Parts = Readonly<Record<string, unknown>>;
type Refuse = (complaint: string) => never;

/** Empty where the Dag has none. */
export function readDeadlines(model: DagModel): DeadlineAlert[] {
  const { deadline } = model.spec;
  if (deadline === undefined) return [];
  const refuse: Refuse = (complaint) => {
    throw errorAt(model.site, `deadline for Dag "${model.dagId}" ${complaint}`);
  };
  const alerts: readonly unknown[] = Array.isArray(deadline) ? deadline : [deadline];
  return alerts.map((alert) => {
    if (!isPlainObject(alert)) return refuse(`must be an object or an array of them, not ${describeValue(alert)}`);
    const unknown = Object.keys(alert).find((part) => !PARTS.includes(part));
    if (unknown !== undefined) return refuse(`has an unknown part "${unknown}"; it is { ${PARTS.join(", ")} }`);
    return {
      name: nameOf(alert.name, refuse),
      reference: referenceOf(alert.reference, refuse),
      interval: intervalOf(alert.interval, refuse),
      callback: callbackOf(alert.callback, model, refuse),
    };
  });
}

function nameOf(name: unknown, refuse: Refuse): string | null {
  if (name === undefined) return null;
  return typeof name === "string" ? name : refuse(`needs name as a string, not ${describeValue(name)}`);
}

function referenceOf(reference: unknown, refuse: Refuse): DeadlineReference {
  if (reference === "DAGRUN_LOGICAL_DATE") return { reference_type: "DagRunLogicalDateDeadline" };
  if (reference === "DAGRUN_QUEUED_AT") return { reference_type: "DagRunQueuedAtDeadline" };
  if (isPlainObject(reference) && reference.FIXED_DATETIME instanceof Date)
    return { reference_type: "FixedDatetimeDeadline", datetime: reference.FIXED_DATETIME.getTime() };
  if (isPlainObject(reference) && isPlainObject(reference.AVERAGE_RUNTIME))
    return averageOf(reference.AVERAGE_RUNTIME, refuse);
  return refuse(
    `needs reference as "DAGRUN_LOGICAL_DATE", "DAGRUN_QUEUED_AT", { FIXED_DATETIME: date } or { AVERAGE_RUNTIME: { maxRuns } }, not ${describeValue(reference)}`,
  );
}

function averageOf({ maxRuns = AVERAGE_OVER, minRuns = maxRuns }: Parts, refuse: Refuse): DeadlineReference {
  const [max_runs, min_runs] = [Number(maxRuns), Number(minRuns)];
  if (!Number.isSafeInteger(max_runs) || !Number.isSafeInteger(min_runs) || min_runs < 1 || max_runs < min_runs)
    return refuse("needs AVERAGE_RUNTIME with whole numbers, minRuns from 1 up to maxRuns");
  return { reference_type: "AverageRuntimeDeadline", max_runs, min_runs };
}

function intervalOf(interval: unknown, refuse: Refuse): DeadlineAlert["interval"] {
  if (typeof interval === "number" && Number.isFinite(interval)) return interval;
  if (isPlainObject(interval) && typeof interval.variable === "string") return { variable: interval.variable };
  return refuse(`needs interval in seconds or as { variable: "name" }, not ${describeValue(interval)}`);
}

function callbackOf(callback: unknown, model: DagModel, refuse: Refuse): DeadlineAlert["callback"] {
  if (callback === undefined) return null;
  if (!isPlainObject(callback) || typeof callback.triggerDag !== "string")
    return refuse(`needs callback as { triggerDag: "dag_id", conf }, not ${describeValue(callback)}`);
  const conf = copyJson(callback.conf ?? {}, `conf of the deadline's callback of Dag "${model.dagId}"`);
  if (typeof conf !== "object" || conf === null || Array.isArray(conf)) return refuse("needs conf as an object");
  return { dag_id: callback.triggerDag, conf };
}
