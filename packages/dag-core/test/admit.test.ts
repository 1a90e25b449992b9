import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { type Candidate, type Limit, type Occupancy, pickRunnable } from "../src/index.ts";

interface Named extends Candidate {
  readonly name: string;
}

function candidate(name: string, overrides: Partial<Candidate> = {}): Named {
  return {
    name,
    pool: "default_pool",
    pool_slots: 1,
    run_key: "r1",
    max_active_tasks: 16,
    task_key: name,
    task_in_run_key: `r1/${name}`,
    max_active_tis_per_dag: null,
    max_active_tis_per_dagrun: null,
    ...overrides,
  };
}

function occupancy(overrides: Partial<Occupancy> = {}): Occupancy {
  return {
    parallelism: { limit: 32, used: 0 },
    pools: new Map([["default_pool", { limit: 128, used: 0 }]]),
    activeTasks: new Map(),
    activeTis: new Map(),
    activeTisInRun: new Map(),
    ...overrides,
  };
}

const names = (candidates: readonly Named[]): string[] => candidates.map(({ name }) => name);

describe("pickRunnable", () => {
  it("starts both single-slot tasks of higher priority and passes over the big one", () => {
    const pools = new Map([["small", { limit: 2, used: 0 }]]);
    const inOrder = [
      candidate("p9", { pool: "small" }),
      candidate("p5", { pool: "small" }),
      candidate("p1", { pool: "small", pool_slots: 2 }),
    ];
    const { picked, passedOver } = pickRunnable(inOrder, occupancy({ pools }));
    expect(names(picked)).toEqual(["p9", "p5"]);
    expect(passedOver.map(({ cause }) => cause)).toEqual(["Pool small: 2 of 2 slots are in use; the task needs 2"]);
  });

  it("lets a smaller task go past one that does not fit", () => {
    const pools = new Map([["small", { limit: 2, used: 1 }]]);
    const { picked } = pickRunnable(
      [candidate("big", { pool: "small", pool_slots: 2 }), candidate("little", { pool: "small" })],
      occupancy({ pools }),
    );
    expect(names(picked)).toEqual(["little"]);
  });

  it("says who blocks", () => {
    const blocked = (overrides: Partial<Candidate>, use: Partial<Occupancy> = {}) =>
      pickRunnable([candidate("t", overrides)], occupancy(use)).passedOver[0]?.cause;
    expect(blocked({ pool: "nope" })).toBe("Pool nope does not exist");
    expect(blocked({ pool_slots: 200 })).toBe(
      "Pool default_pool has 128 slots in all; the task needs 200 and can never start",
    );
    expect(blocked({}, { parallelism: { limit: 4, used: 4 } })).toBe(
      "Parallelism: 4 of 4 tasks are queued or running in this installation",
    );
    expect(blocked({ max_active_tasks: 2 }, { activeTasks: new Map([["r1", 2]]) })).toBe(
      "max_active_tasks: of this DAG run 2 of at most 2 are active",
    );
    expect(blocked({ max_active_tis_per_dag: 1 }, { activeTis: new Map([["t", 1]]) })).toContain(
      "max_active_tis_per_dag",
    );
    expect(blocked({ max_active_tis_per_dagrun: 1 }, { activeTisInRun: new Map([["r1/t", 1]]) })).toContain(
      "max_active_tis_per_dagrun",
    );
  });

  it("takes -1 for no limit", () => {
    const pools = new Map([["endless", { limit: -1, used: 5000 }]]);
    expect(
      pickRunnable([candidate("t", { pool: "endless", pool_slots: 99 })], occupancy({ pools })).picked,
    ).toHaveLength(1);
  });

  it("never exceeds a limit, never changes its input and leaves nothing that fits", () => {
    const one = fc.record({
      pool: fc.constantFrom("a", "b"),
      slots: fc.integer({ min: 1, max: 3 }),
      run: fc.constantFrom("r1", "r2"),
      task: fc.constantFrom("x", "y"),
    });
    fc.assert(
      fc.property(
        fc.array(one, { maxLength: 40 }),
        fc.integer({ min: 0, max: 20 }),
        fc.integer({ min: 0, max: 6 }),
        (list, parallelism, slots) => {
          const candidates = list.map(({ pool, slots: pool_slots, run, task }, index) =>
            candidate(String(index), {
              pool,
              pool_slots,
              run_key: run,
              max_active_tasks: 5,
              task_key: task,
              max_active_tis_per_dag: 4,
              task_in_run_key: `${run}/${task}`,
              max_active_tis_per_dagrun: 3,
            }),
          );
          const before = occupancy({
            parallelism: { limit: parallelism, used: 0 },
            pools: new Map<string, Limit>([
              ["a", { limit: slots, used: 0 }],
              ["b", { limit: 3, used: 0 }],
            ]),
          });
          const { picked, passedOver } = pickRunnable(candidates, before);
          const total = (wanted: (c: Named) => boolean, size: (c: Named) => number): number =>
            picked.filter(wanted).reduce((sum, c) => sum + size(c), 0);
          expect(picked.length + passedOver.length).toBe(candidates.length);
          expect(picked.length).toBeLessThanOrEqual(parallelism);
          expect(
            total(
              (c) => c.pool === "a",
              (c) => c.pool_slots,
            ),
          ).toBeLessThanOrEqual(slots);
          expect(
            total(
              (c) => c.run_key === "r1",
              () => 1,
            ),
          ).toBeLessThanOrEqual(5);
          expect(
            total(
              (c) => c.task_key === "x",
              () => 1,
            ),
          ).toBeLessThanOrEqual(4);
          expect(
            total(
              (c) => c.task_in_run_key === "r1/x",
              () => 1,
            ),
          ).toBeLessThanOrEqual(3);
          expect(before.pools.get("a")?.used).toBe(0);
        },
      ),
    );
  });
});
