/** Triggers that arrive at the same moment share a transaction, but not their answers. */

import { createTestStore, parsedFile, type TestStore, triggerRequest } from "@updraft/testkit";
import { dag } from "@updraft/testkit/dags";
import { afterEach, beforeEach, expect, test } from "vitest";

let world: TestStore;

beforeEach(async () => {
  world = await createTestStore();
});
afterEach(() => world.close());

async function save(id: string, fields: object = {}): Promise<void> {
  await world.store.saveParsedFile(
    parsedFile([{ ...dag("a", fields), dag_id: id, is_paused_upon_creation: false }], { relative_fileloc: `${id}.ts` }),
  );
}

test("each is answered by itself: created, refused, or already there", async () => {
  await save("one");
  await save("two");
  const results = await Promise.all([
    world.store.triggerDagRun(triggerRequest("one", { run_id: "first" })),
    world.store.triggerDagRun(triggerRequest("one", { run_id: "r" })),
    world.store.triggerDagRun(triggerRequest("two", { run_id: "r" })),
    world.store.triggerDagRun(triggerRequest("one", { run_id: "r" })),
    world.store.triggerDagRun(triggerRequest("nowhere")),
    world.store.triggerDagRun(triggerRequest("two", { run_id: "s" })),
  ]);
  expect(
    results.map((result) =>
      result.kind === "created" ? `${result.dag_run.dag_id} ${result.dag_run.run_id}` : result.reason,
    ),
  ).toEqual(["one first", "one r", "two r", "already_exists", "dag_not_found", "two s"]);
});

test("together they start as many runs as there is room for, the first ones first", async () => {
  await save("d", { max_active_runs: 3 });
  const results = await Promise.all(
    Array.from({ length: 10 }, (_, n) => world.store.triggerDagRun(triggerRequest("d", { run_id: `r${n}` }))),
  );
  const states = results.map((result) => (result.kind === "created" ? result.dag_run.state : result.reason));
  expect(states).toEqual([...Array(3).fill("running"), ...Array(7).fill("queued")]);
});

test("every start and every queued try is announced exactly once", async () => {
  await save("d", { max_active_runs: 20 });
  const results = await Promise.all(
    Array.from({ length: 12 }, (_, n) => world.store.triggerDagRun(triggerRequest("d", { run_id: `r${n}` }))),
  );
  const queued = results.flatMap((result) => (result.kind === "created" ? result.announcement.queued : []));
  expect(queued.map(({ run_id }) => run_id).sort()).toEqual(Array.from({ length: 12 }, (_, n) => `r${n}`).sort());
});
