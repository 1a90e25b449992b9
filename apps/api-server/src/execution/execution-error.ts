/** A refusal of the Task Execution API: `{ detail: { reason, message, ... } }`, as Airflow's Task SDK reads it. */
export class ExecutionError extends Error {
  readonly status: number;
  readonly detail: Readonly<Record<string, unknown>>;

  constructor(status: number, reason: string, message: string, facts: Readonly<Record<string, unknown>> = {}) {
    super(message);
    this.name = "ExecutionError";
    this.status = status;
    this.detail = { reason, message, ...facts };
  }
}
