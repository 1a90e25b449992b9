/** When a new version of a DAG exists, and how runs stay on theirs or follow. */
import { type JsonValue, type SerializedDag, TRIGGER_RULES } from "@updraft/dag-core";
import { createTestStore, parsedFile, type TestStore } from "@updraft/testkit";
import { dag } from "@updraft/testkit/dags";
import fc from "fast-check";
import { afterEach, describe, expect, test } from "vitest";
import { Player } from "./player.ts";

const PAGE = { limit: 100, offset: 0, order_by: [] };
let world: TestStore;
let player: Player;

async function open(disableBundleVersioning = false): Promise<void> {
  world = await createTestStore({ disableBundleVersioning });
  player = new Player(world);
}
afterEach(() => world.close());

async function save(form: SerializedDag, overrides: Parameters<typeof parsedFile>[1] = {}) {
  const announcement = await world.store.saveParsedFile(
    parsedFile([{ ...form, is_paused_upon_creation: false }], overrides),
  );
  player.hear(announcement);
  return announcement;
}

async function versions(): Promise<number[]> {
  const { rows } = await world.store.listDagVersions("d", PAGE);
  return rows.map(({ version_number }) => version_number);
}

/** The same value with the keys of every object in another order. */
function reordered(value: JsonValue, order: (keys: string[]) => string[]): JsonValue {
  if (Array.isArray(value)) return value.map((one) => reordered(one, order));
  if (value === null || typeof value !== "object") return value;
  return Object.fromEntries(order(Object.keys(value)).map((key) => [key, reordered(value[key] ?? null, order)]));
}

describe("a new version", () => {
  test("1,000 parses of one file with runs give one version", async () => {
    await open();
    for (let n = 0; n < 1000; n += 1) {
      await save(dag("a > b"));
      if (n === 0) await player.trigger("d");
    }
    expect(await versions()).toEqual([1]);
  });

  test("keys in any other order give none", async () => {
    await open();
    const shuffle = fc.infiniteStream(fc.nat());
    const form = fc.record({
      tags: fc.uniqueArray(
        fc.string({ minLength: 1, maxLength: 5 }).filter((text) => !text.includes("\0")),
        { maxLength: 4 },
      ),
      rule: fc.constantFrom(...TRIGGER_RULES.filter((rule) => rule !== "always")),
      retries: fc.nat(5),
    });
    let first = true;
    await fc.assert(
      fc.asyncProperty(form, shuffle, async ({ tags, rule, retries }, numbers) => {
        const original = dag("a > b", { tags: tags.sort() }, { b: { trigger_rule: rule, retries } });
        await save(original);
        if (first) await player.trigger("d");
        first = false;
        const before = await versions();
        const order = (keys: string[]) =>
          keys
            .map((key) => [numbers.next().value, key] as const)
            .sort(([a], [b]) => a - b)
            .map(([, key]) => key);
        await save(reordered(original as unknown as JsonValue, order) as unknown as SerializedDag);
        expect(await versions()).toEqual(before);
      }),
      { numRuns: 50 },
    );
  });

  test("another artefact gives one although the form is the same", async () => {
    await open();
    await save(dag("a"));
    await player.trigger("d");
    await save(dag("a"), { artefact_hash: "other", artefact_code: "// other" });
    expect(await versions()).toEqual([1, 2]);
  });
});

test("a run goes on by the version it was created with", async () => {
  await open();
  await save(dag("a > b"));
  const run = await player.trigger("d");
  await save(dag("a > c"), { artefact_hash: "other", artefact_code: "// other" });
  await player.run("a");
  const claim = await player.claim("b");
  expect([claim.dag_run.dag_version_number, claim.artefact_hash]).not.toContain("other");
  await player.finish(claim, { kind: "success", xcoms: [] });
  expect(await player.states(run)).toEqual({ a: "success", b: "success" });
});

describe("without versions (disable_bundle_versioning)", () => {
  test("unfinished runs follow: new tasks are added, vanished ones removed, returned ones restored", async () => {
    await open(true);
    await save(dag("a > b > d"));
    const run = await player.trigger("d");
    await save(dag("a > c > d"));
    expect(await player.states(run)).toEqual({ a: "queued", b: "removed", c: null, d: null });
    await player.run("a");
    expect(player.queued()).toEqual(["c"]);
    await save(dag("a > b > d"));
    expect(await player.states(run)).toEqual({ a: "success", b: "queued", c: "removed", d: null });
    await player.run("b");
    await player.run("d");
    expect(await player.runState(run)).toBe("success");
    await player.expectNoSlotsInUse();
  });

  test("a task that runs while it vanishes is ended by its next heartbeat", async () => {
    await open(true);
    await save(dag("a, b"));
    const run = await player.trigger("d");
    const claim = await player.claim("b");
    await save(dag("a"));
    const beat = { ti_id: claim.ti_id, try_number: 1, hostname: "host", pid: 1 };
    expect(await world.store.heartbeat(beat)).toBe("not_running");
    await player.run("a");
    expect([await player.runState(run), await player.states(run)]).toEqual(["success", { a: "success", b: "removed" }]);
    await player.expectNoSlotsInUse();
  });

  test.each([
    [false, true, { a: "queued", b: "removed", c: null }],
    [true, false, { a: "queued", b: null }],
  ])("configured %s, of the DAG itself %s", async (configured, own, states) => {
    await open(configured);
    await save(dag("a > b", { disable_bundle_versioning: own }));
    const run = await player.trigger("d");
    await save(dag("a > c", { disable_bundle_versioning: own }));
    expect(await player.states(run)).toEqual(states);
  });

  test("finished runs stay on their version", async () => {
    await open(true);
    await save(dag("a"));
    const run = await player.trigger("d");
    await player.run("a");
    await save(dag("a > b"));
    expect((await world.store.getDagRun("d", run))?.dag_version_number).toBe(1);
  });
});
