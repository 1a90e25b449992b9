/**
 * Which of the tasks that may run also fit: installation parallelism, pools, tasks per run, tries per task.
 *
 * Candidates come in the order of the queue (-priority_weight, logical date, map index). Whoever does not fit is
 * passed over, so that a smaller task of lower priority may go; what was picked counts at once.
 */

/** A scheduled task instance, with keys that name what it shares limits with. */
export interface Candidate {
  readonly pool: string;
  readonly pool_slots: number;
  /** Names the DAG run. */
  readonly run_key: string;
  readonly max_active_tasks: number;
  /** Names the task across runs, and within its run. */
  readonly task_key: string;
  readonly task_in_run_key: string;
  readonly max_active_tis_per_dag: number | null;
  readonly max_active_tis_per_dagrun: number | null;
}

export interface Limit {
  /** -1 means without limit. */
  readonly limit: number;
  readonly used: number;
}

/** What is in use now. Keys that are absent are unused; a pool that is absent does not exist. */
export interface Occupancy {
  readonly parallelism: Limit;
  readonly pools: ReadonlyMap<string, Limit>;
  readonly activeTasks: ReadonlyMap<string, number>;
  readonly activeTis: ReadonlyMap<string, number>;
  readonly activeTisInRun: ReadonlyMap<string, number>;
}

export interface Admission<T extends Candidate> {
  readonly picked: readonly T[];
  /** `cause` names the limit that blocks, for people who ask why a task does not run. */
  readonly passedOver: readonly { readonly candidate: T; readonly cause: string }[];
}

/** Picks what fits, in order. */
export function pickRunnable<T extends Candidate>(candidates: readonly T[], occupancy: Occupancy): Admission<T> {
  const use = copyOf(occupancy);
  const picked: T[] = [];
  const passedOver: { candidate: T; cause: string }[] = [];
  for (const candidate of candidates) {
    const cause = blockedBy(candidate, use);
    if (cause !== null) {
      passedOver.push({ candidate, cause });
      continue;
    }
    picked.push(candidate);
    take(candidate, use);
  }
  return { picked, passedOver };
}

interface Use {
  parallelism: { readonly limit: number; used: number };
  readonly pools: Map<string, { readonly limit: number; used: number }>;
  readonly activeTasks: Map<string, number>;
  readonly activeTis: Map<string, number>;
  readonly activeTisInRun: Map<string, number>;
}

function copyOf(occupancy: Occupancy): Use {
  return {
    parallelism: { ...occupancy.parallelism },
    pools: new Map([...occupancy.pools].map(([name, pool]) => [name, { ...pool }])),
    activeTasks: new Map(occupancy.activeTasks),
    activeTis: new Map(occupancy.activeTis),
    activeTisInRun: new Map(occupancy.activeTisInRun),
  };
}

function blockedBy(c: Candidate, use: Use): string | null {
  if (full(use.parallelism, 1))
    return `Parallelism: ${use.parallelism.used} of ${use.parallelism.limit} tasks are queued or running in this installation`;
  return (
    blockedByPool(c, use) ??
    blockedByCount(use.activeTasks.get(c.run_key), c.max_active_tasks, "max_active_tasks: of this DAG run") ??
    blockedByCount(
      use.activeTis.get(c.task_key),
      c.max_active_tis_per_dag,
      "max_active_tis_per_dag: of this task in all runs",
    ) ??
    blockedByCount(
      use.activeTisInRun.get(c.task_in_run_key),
      c.max_active_tis_per_dagrun,
      "max_active_tis_per_dagrun: of this task in this run",
    )
  );
}

function blockedByPool(c: Candidate, use: Use): string | null {
  const pool = use.pools.get(c.pool);
  if (pool === undefined) return `Pool ${c.pool} does not exist`;
  if (!full(pool, c.pool_slots)) return null;
  if (c.pool_slots > pool.limit)
    return `Pool ${c.pool} has ${pool.limit} slots in all; the task needs ${c.pool_slots} and can never start`;
  return `Pool ${c.pool}: ${pool.used} of ${pool.limit} slots are in use; the task needs ${c.pool_slots}`;
}

function blockedByCount(used: number | undefined, limit: number | null, what: string): string | null {
  if (limit === null || (used ?? 0) < limit) return null;
  return `${what} ${used ?? 0} of at most ${limit} are active`;
}

function full(limit: { readonly limit: number; readonly used: number }, wanted: number): boolean {
  return limit.limit !== -1 && limit.used + wanted > limit.limit;
}

function take(c: Candidate, use: Use): void {
  use.parallelism.used += 1;
  const pool = use.pools.get(c.pool);
  if (pool !== undefined) pool.used += c.pool_slots;
  increment(use.activeTasks, c.run_key);
  increment(use.activeTis, c.task_key);
  increment(use.activeTisInRun, c.task_in_run_key);
}

function increment(counts: Map<string, number>, key: string): void {
  counts.set(key, (counts.get(key) ?? 0) + 1);
}
