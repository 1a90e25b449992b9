/** The trigger form's texts and the body they make. Pure. */
import type { TriggerDagRunBody } from "@updraft/contract";

export interface TriggerForm {
  readonly conf: string;
  /** As `datetime-local` has it: without a zone, meaning the browser's. */
  readonly logicalDate: string;
  readonly runId: string;
  readonly note: string;
}

export type ParsedConf =
  | { readonly conf: Record<string, unknown>; readonly problem: null }
  | { readonly conf: null; readonly problem: string };

export function parseConf(text: string): ParsedConf {
  if (text.trim() === "") return { conf: {}, problem: null };
  try {
    const value: unknown = JSON.parse(text);
    if (isPlainObject(value)) return { conf: value, problem: null };
    return { conf: null, problem: 'The configuration has to be a JSON object, as {"key": "value"}.' };
  } catch (error) {
    return { conf: null, problem: `This is not JSON: ${error instanceof Error ? error.message : String(error)}` };
  }
}

/** Values of the DAG's params, to start from. Airflow's form of a param holds its value beside its schema. */
export function confFromParams(params: Readonly<Record<string, unknown>> | null): string {
  const values = Object.entries(params ?? {}).map(([name, param]) => [name, valueOfParam(param)]);
  return values.length === 0 ? "{}" : JSON.stringify(Object.fromEntries(values), null, 2);
}

export function triggerBody(form: TriggerForm, conf: Record<string, unknown>): TriggerDagRunBody {
  const runId = form.runId.trim();
  const note = form.note.trim();
  return {
    logical_date: form.logicalDate === "" ? null : new Date(form.logicalDate).toISOString(),
    conf,
    ...(runId === "" ? {} : { dag_run_id: runId }),
    ...(note === "" ? {} : { note }),
  };
}

function valueOfParam(param: unknown): unknown {
  return isPlainObject(param) && "value" in param ? param.value : param;
}

function isPlainObject(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}
