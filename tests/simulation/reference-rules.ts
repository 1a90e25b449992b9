/**
 * The trigger rules once more, as a table of what Airflow's rules say, apart from the engine's: each rule is a list of
 * lines, and the first whose condition holds tells the end. Nothing holds: the task waits.
 */
import type { TaskInstanceState, TriggerRule } from "@updraft/dag-core";

export type RuleEnd = "run" | "wait" | "skipped" | "upstream_failed";

/** How the direct upstream tasks have ended so far. */
interface Seen {
  readonly total: number;
  readonly ok: number;
  readonly failed: number;
  /** Failed because of something above: it never ran. */
  readonly blocked: number;
  readonly skipped: number;
  readonly removed: number;
  readonly isOver: boolean;
  readonly setups: readonly TaskInstanceState[];
}

type Line = readonly [when: (seen: Seen) => boolean, end: RuleEnd];

const isBroken: Line[0] = ({ failed, blocked }) => failed > 0 || blocked > 0;
const isOver: Line[0] = (seen) => seen.isOver;
const hasSkipped: Line[0] = ({ skipped }) => skipped > 0;
const isOverWithout =
  (...counted: readonly ("ok" | "failed" | "blocked" | "skipped")[]): Line[0] =>
  (seen) =>
    seen.isOver && counted.every((one) => seen[one] === 0);
const areAllSkipped: Line[0] = ({ skipped, total }) => skipped === total;

const TABLE: Readonly<Record<TriggerRule, readonly Line[]>> = {
  always: [[() => true, "run"]],
  all_success: [
    [isBroken, "upstream_failed"],
    [hasSkipped, "skipped"],
    [isOver, "run"],
  ],
  all_failed: [
    [({ ok, skipped }) => ok + skipped > 0, "skipped"],
    [isOver, "run"],
  ],
  all_done: [[isOver, "run"]],
  all_done_min_one_success: [
    [hasSkipped, "skipped"],
    [isOverWithout("ok"), "upstream_failed"],
    // Removed ones don't count, so that it needn't wait for more than the others.
    [({ ok, failed, blocked, removed, total }) => ok > 0 && ok + failed + blocked >= total - removed, "run"],
  ],
  all_done_setup_success: [
    [({ isOver, setups }) => isOver && setups.length > 0 && setups.every((state) => state === "skipped"), "skipped"],
    [({ isOver, setups }) => isOver && setups.length > 0 && !setups.includes("success"), "upstream_failed"],
    [isOver, "run"],
  ],
  one_success: [
    [({ ok }) => ok > 0, "run"],
    [areAllSkipped, "skipped"],
    [isOver, "upstream_failed"],
  ],
  one_failed: [
    [isBroken, "run"],
    [isOver, "skipped"],
  ],
  one_done: [
    [({ ok, failed }) => ok > 0 || failed > 0, "run"],
    [isOver, "skipped"],
  ],
  none_failed: [
    [isBroken, "upstream_failed"],
    [isOver, "run"],
  ],
  none_failed_min_one_success: [
    [isBroken, "upstream_failed"],
    [areAllSkipped, "skipped"],
    [isOverWithout("ok"), "upstream_failed"],
    [isOver, "run"],
  ],
  none_skipped: [
    [hasSkipped, "skipped"],
    [isOver, "run"],
  ],
  all_skipped: [
    [({ ok, failed, blocked }) => ok + failed + blocked > 0, "skipped"],
    [areAllSkipped, "run"],
  ],
};

/** What `rule` says once the upstream tasks that are given have ended, of `total` there are. */
export function referenceRule(
  rule: TriggerRule,
  ended: readonly TaskInstanceState[],
  total: number,
  setups: readonly TaskInstanceState[],
): RuleEnd {
  if (total === 0) return "run";
  const count = (wanted: TaskInstanceState) => ended.filter((state) => state === wanted).length;
  const seen: Seen = {
    ...{ total, isOver: ended.length === total, setups },
    ...{ ok: count("success"), failed: count("failed"), blocked: count("upstream_failed") },
    ...{ skipped: count("skipped"), removed: count("removed") },
  };
  return TABLE[rule].find(([when]) => when(seen))?.[1] ?? "wait";
}
