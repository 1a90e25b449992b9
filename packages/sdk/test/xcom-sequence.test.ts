/** `getClient().getXComs()`: the values of a mapped task, read as far as somebody looks. */
import { describe, expect, it } from "vitest";
import { Dag, getClient, type XComSequence } from "../src/index.ts";
import { runTask, type World } from "./support/play.ts";

const VALUES = Array.from({ length: 2500 }, (_, n) => n * 2);

/** What `look` finds in the values of the mapped task "each", and the calls that it took. */
async function looking<R>(look: (values: XComSequence<number>) => Promise<R>): Promise<{ found: R; calls: string[] }> {
  const dag = new Dag("d");
  const found: R[] = [];
  dag.task("look", async () => void found.push(await look(getClient().getXComs<number>({ taskId: "each" }))))();
  let world: World | undefined;
  const outcome = await runTask(dag, "look", (made) => {
    world = made;
    for (const [index, value] of VALUES.entries()) made.xcoms.set(`d/run/each/return_value[${index}]`, value);
  });
  expect(outcome.kind).toBe("success");
  return { found: found[0] as R, calls: world?.calls ?? [] };
}

describe("the values of a mapped task", () => {
  it("have a length that reads none of them", async () => {
    expect(await looking((values) => values.length())).toEqual({ found: 2500, calls: [] });
  });

  it("are walked through a thousand at a time, and no further than is looked", async () => {
    const all = await looking(async (values) => {
      const seen: number[] = [];
      for await (const value of values) seen.push(value);
      return seen;
    });
    expect(all.found).toEqual(VALUES);
    expect(all.calls).toEqual(["sliceXComs 0 1000", "sliceXComs 1000 2000", "sliceXComs 2000 3000"]);
    const first = await looking(async (values) => {
      for await (const value of values) return value;
      return null;
    });
    expect(first).toEqual({ found: 0, calls: ["sliceXComs 0 1000"] });
  });

  it.each<[number, number | undefined]>([
    [3, 6],
    [-1, 4998],
    [-2500, 0],
    [2500, undefined],
  ])("have at %i the value %s", async (index, value) => {
    expect((await looking((values) => values.at(index))).found).toBe(value);
  });

  it("are cut like an array", async () => {
    expect((await looking((values) => values.slice(1, 3))).found).toEqual([2, 4]);
    expect((await looking((values) => values.slice(-2))).found).toEqual([4996, 4998]);
  });
});
