/** Which transition of a task instance which call may make: section 2 of Airflow's rules as a table. */
import type { TaskInstanceState } from "@updraft/dag-core";
import type { EngineStore } from "@updraft/testkit/worlds";

type State = Exclude<TaskInstanceState, null> | "none";

type Moves = readonly (readonly [State, readonly State[]])[];

/** What follows from any transition: instances without a state are decided, and what is ready is enqueued. */
const FOLLOWING: Moves = [
  ["none", ["scheduled", "queued", "success", "skipped", "upstream_failed", "removed"]],
  ["scheduled", ["queued"]],
];
const ENDS_OF_A_TRY: readonly State[] = ["success", "failed", "skipped", "removed", "up_for_retry"];
/** With `fail_fast` a try that ends together with one that fails for good is skipped instead of retried. */
const LOST: readonly State[] = ["failed", "up_for_retry", "skipped"];
/** `fail_fast` ends the rest of a run. */
const FAIL_FAST: Moves = [
  ["none", ["skipped"]],
  ["scheduled", ["skipped"]],
  ["queued", ["skipped"]],
  ["up_for_retry", ["skipped"]],
  ["restarting", ["skipped"]],
  ["running", ["failed"]],
  ["upstream_failed", ["skipped"]],
  ["removed", ["skipped"]],
];
const SKIPPED_BY_A_DECIDER: Moves = (
  ["none", "scheduled", "queued", "up_for_retry", "upstream_failed", "removed"] as const
).map((from) => [from, ["skipped"]]);
const TIMED_OUT: Moves = (["none", "scheduled", "queued", "running", "restarting", "up_for_retry"] as const).map(
  (from) => [from, ["skipped"]],
);

const BY_CALL: Partial<Record<keyof EngineStore, Moves>> = {
  claimTry: [["queued", ["running"]]],
  finishTry: [["running", ENDS_OF_A_TRY], ["restarting", ["up_for_retry"]], ...FAIL_FAST],
  skipDownstream: SKIPPED_BY_A_DECIDER,
  rescueLost: [["running", LOST], ["restarting", ["up_for_retry"]], ...FAIL_FAST],
  offerAgain: [["queued", LOST], ...FAIL_FAST],
  startDueRetries: [["up_for_retry", ["scheduled", "queued"]]],
  timeOutRuns: TIMED_OUT,
};
/** People may bring an instance from any state to any that is theirs to give, and whatever follows from that. */
const PEOPLE: ReadonlySet<keyof EngineStore> = new Set(["clearTaskInstances", "markTaskInstances", "patchDagRun"]);
const BY_PEOPLE: ReadonlySet<State> = new Set<State>([
  ...(["none", "scheduled", "queued", "restarting", "success", "failed", "skipped", "upstream_failed"] as const),
]);

const TABLES = new Map<keyof EngineStore, ReadonlySet<string>>();

export function isLegal(call: keyof EngineStore, from: TaskInstanceState, to: TaskInstanceState): boolean {
  const before: State = from ?? "none";
  const after: State = to ?? "none";
  if (PEOPLE.has(call)) return BY_PEOPLE.has(after);
  let table = TABLES.get(call);
  if (table === undefined) {
    const moves: Moves = [...FOLLOWING, ...(BY_CALL[call] ?? [])];
    table = new Set(moves.flatMap(([start, ends]) => ends.map((end) => `${start} ${end}`)));
    TABLES.set(call, table);
  }
  return table.has(`${before} ${after}`);
}
