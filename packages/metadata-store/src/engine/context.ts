/** What every transition works with. */
import type { Clock, Ids } from "@updraft/service-kit";
import type { DagPlans } from "../dag-plan.ts";
import type { Database } from "../database.ts";

export interface Engine {
  readonly db: Database;
  readonly plans: DagPlans;
  readonly clock: Clock;
  readonly ids: Ids;
  /** Tries queued or running in the whole installation. */
  readonly parallelism: number;
  /** `[core] rerun_with_latest_version`; null where nobody configured it. */
  readonly rerunWithLatestVersion: boolean | null;
  /** The most instances of one mapped task or group. */
  readonly maxMapLength: number;
}
