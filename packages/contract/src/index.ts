/** The HTTP contracts: schemas of what travels, the error catalogue, and the words of refusals. */
export * from "./errors.ts";
export * from "./events.ts";
export * from "./execution.ts";
export * from "./execution-errors.ts";
export * from "./hitl.ts";
export * from "./query.ts";
export * from "./rest/dag.ts";
export * from "./rest/dag-run.ts";
export * from "./rest/job.ts";
export * from "./rest/log.ts";
export * from "./rest/monitor.ts";
export * from "./rest/task.ts";
export * from "./rest/task-instance.ts";
export * from "./rest/xcom.ts";
export * from "./ui/grid.ts";
export * from "./ui/pages.ts";
export * from "./validation.ts";
