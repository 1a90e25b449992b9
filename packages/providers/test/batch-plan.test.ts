/** Which records a try reads: for any history of commits, nothing is passed over and nothing is read beyond the end. */
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { decideRange, positionOf, rangeToFreeze } from "../src/prometheus/batch-plan.ts";

function ends(earliest: number, latest: number) {
  return { topic: "t", partition: 0, earliest: BigInt(earliest), latest: BigInt(latest) };
}

describe("positionOf", () => {
  it.each([
    ["the first time", null, ends(3, 9), 3n, null],
    ["in the middle", 5n, ends(3, 9), 5n, null],
    ["at the end", 9n, ends(3, 9), 9n, null],
    ["behind retention", 1n, ends(3, 9), 3n, [1n, 3n]],
    ["beyond the end of a topic made anew", 20n, ends(0, 9), 0n, [20n, 9n]],
  ])("%s", (_, committed, offsets, position, gap) => {
    const found = positionOf(committed, offsets);
    expect(found.position).toBe(position);
    expect(found.gap && [found.gap.from, found.gap.to]).toEqual(gap);
  });
});

describe("rangeToFreeze", () => {
  it.each([
    [5, ends(0, 5), 10, null],
    [5, ends(0, 8), 10, [5n, 8n]],
    [5, ends(0, 80), 10, [5n, 15n]],
  ])("from %d", (position, offsets, max, expected) => {
    const range = rangeToFreeze(BigInt(position), offsets, max);
    expect(range && [range.from, range.to]).toEqual(expected);
  });
});

describe("decideRange", () => {
  it.each([
    [5, { kind: "read", range: { topic: "t", partition: 0, from: 5n, to: 9n } }],
    [7, { kind: "read", range: { topic: "t", partition: 0, from: 7n, to: 9n } }],
    [9, { kind: "covered" }],
    [12, { kind: "covered" }],
    [4, { kind: "behind" }],
  ])("of [5, 9) with %d committed", (committed, expected) => {
    expect(decideRange({ topic: "t", partition: 0, from: 5n, to: 9n }, BigInt(committed))).toEqual(expected);
  });

  it("commits every offset exactly once, whoever runs in whatever order", () => {
    const attempt = fc.record({ run: fc.nat(3), produced: fc.nat(4), commits: fc.boolean() });
    fc.assert(
      fc.property(fc.array(attempt, { maxLength: 40 }), (attempts) => {
        const frozen = new Map<number, { topic: string; partition: number; from: bigint; to: bigint }>();
        const committed: [bigint, bigint][] = [];
        let [position, latest] = [0n, 0n];
        for (const { run, produced, commits } of attempts) {
          latest += BigInt(produced);
          const range = frozen.get(run) ?? rangeToFreeze(position, ends(0, Number(latest)), 3);
          if (range === null) continue;
          frozen.set(run, range);
          const decision = decideRange(range, position);
          if (decision.kind !== "read" || !commits) continue;
          committed.push([decision.range.from, decision.range.to]);
          position = decision.range.to;
        }
        let next = 0n;
        for (const [from, to] of committed) {
          expect(from).toBe(next);
          next = to;
        }
      }),
    );
  });
});
