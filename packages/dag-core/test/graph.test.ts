import { dag } from "@updraft/testkit/dags";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { closure, effectiveLeaves, findCycle, priorityWeights, topologicalOrder, upstreamIds } from "../src/index.ts";

/** A random DAG as edge text: edges only go from lower to higher numbers. */
const randomDag = fc.integer({ min: 1, max: 12 }).chain((size) =>
  fc.array(fc.tuple(fc.nat(size - 1), fc.nat(size - 1)), { maxLength: 30 }).map((pairs) => {
    const edges = pairs.filter(([a, b]) => a !== b).map(([a, b]) => `t${Math.min(a, b)} > t${Math.max(a, b)}`);
    return dag([...Array.from({ length: size }, (_, index) => `t${index}`), ...edges].join(", "));
  }),
);

describe("graph", () => {
  const diamond = dag("a > b > d, a > c > d, lonely");

  it("knows direct upstream tasks and leaves", () => {
    expect(Object.fromEntries(upstreamIds(diamond))).toEqual({ a: [], b: ["a"], c: ["a"], d: ["b", "c"], lonely: [] });
    expect(effectiveLeaves(diamond)).toEqual(["d", "lonely"]);
  });

  it("closes over both directions and drops unknown ids", () => {
    expect([...closure(diamond, ["b", "nobody"], "downstream")]).toEqual(["b", "d"]);
    expect([...closure(diamond, ["d"], "upstream")].sort()).toEqual(["a", "b", "c", "d"]);
  });

  it("names a cycle", () => {
    expect(findCycle(dag("x > a > b > c > a"))).toEqual(["a", "b", "c", "a"]);
    expect(findCycle(dag("a > a"))).toEqual(["a", "a"]);
    expect(findCycle(diamond)).toBeNull();
    expect(() => topologicalOrder(dag("a > b > a"))).toThrow("a >> b >> a");
  });

  it("finds cycles in a chain of 20,000 tasks without overflowing the stack", () => {
    const long = Array.from({ length: 20_000 }, (_, index) => `t${index}`).join(" > ");
    expect(findCycle(dag(long))).toBeNull();
    expect(findCycle(dag(`${long} > t0`))).toHaveLength(20_001);
  });

  it("orders every task after its upstream tasks", () => {
    fc.assert(
      fc.property(randomDag, (random) => {
        const order = topologicalOrder(random);
        expect(order).toHaveLength(random.tasks.length);
        for (const [id, upstream] of upstreamIds(random)) {
          for (const before of upstream) expect(order.indexOf(before)).toBeLessThan(order.indexOf(id));
        }
      }),
    );
  });
});

describe("priorityWeights", () => {
  it("sums each transitive task once", () => {
    const weights = {
      a: { priority_weight: 1 },
      b: { priority_weight: 10 },
      c: { priority_weight: 100 },
      d: { priority_weight: 1000 },
    };
    const downstream = dag("a > b > d, a > c > d", {}, weights);
    expect(Object.fromEntries(priorityWeights(downstream))).toEqual({ a: 1111, b: 1010, c: 1100, d: 1000 });
  });

  it("follows each task's own rule and clamps to 32 bits", () => {
    const mixed = dag(
      "a > b > c",
      {},
      {
        a: { weight_rule: "absolute", priority_weight: 7 },
        b: { weight_rule: "upstream", priority_weight: 2 ** 31 },
        c: { weight_rule: "downstream", priority_weight: -(2 ** 40) },
      },
    );
    expect(Object.fromEntries(priorityWeights(mixed))).toEqual({ a: 7, b: 2 ** 31 - 1, c: -(2 ** 31) });
  });

  it("equals the sum over the closure", () => {
    fc.assert(
      fc.property(randomDag, (random) => {
        for (const [id, weight] of priorityWeights(random))
          expect(weight).toBe(closure(random, [id], "downstream").size);
      }),
    );
  });
});
