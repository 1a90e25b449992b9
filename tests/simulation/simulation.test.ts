/**
 * Two hundred worlds in which everything goes wrong, ten of them on a real Postgres; and the planted bugs, each of which
 * must be found. `npm run sim` runs more.
 */
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { startPostgres } from "@updraft/local-services";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { BUGS } from "./bugs.ts";
import { postgresStores } from "./postgres-stores.ts";
import { simulate, type Verdict, type WorldOptions } from "./world.ts";

const SEEDS = 200;
const ON_POSTGRES = 10;
const BATCH = 20;
/** A bug needs its chance: it counts as found when one of so many worlds breaks. */
const SEEDS_PER_BUG = 40;

const folder = mkdtempSync(join(tmpdir(), "updraft-sim-"));
let server: Awaited<ReturnType<typeof startPostgres>> | undefined;
let stores: Pick<WorldOptions, "createStore" | "lookEvery">;

beforeAll(async () => {
  server = await startPostgres({ dataFolder: join(folder, "postgres"), port: 0, mode: "fast" });
  stores = await postgresStores(server.url);
});
afterAll(async () => {
  await server?.stop();
  rmSync(folder, { recursive: true, force: true });
});

function faultsOf({ faults }: Verdict): number {
  return [...faults.values()].reduce((sum, count) => sum + count, 0);
}

const firsts = Array.from({ length: SEEDS / BATCH }, (_, index) => 1 + index * BATCH);

describe("worlds in which everything goes wrong", () => {
  it.each(firsts)(`seeds from %i: ${BATCH} worlds keep every promise`, async (first) => {
    for (let seed = first; seed < first + BATCH; seed += 1) {
      const verdict = await simulate({ seed });
      expect(verdict.violations, `npm run sim -- --seed=${seed}`).toEqual([]);
      expect(faultsOf(verdict), `seed ${seed} had no fault and shows nothing`).toBeGreaterThan(0);
    }
  });

  it.each(Array.from({ length: ON_POSTGRES }, (_, index) => index + 1))(
    "seed %i keeps every promise on a real Postgres",
    async (seed) => {
      const verdict = await simulate({ seed, ...stores });
      expect(verdict.violations, `npm run sim -- --seed=${seed} --postgres`).toEqual([]);
    },
  );

  it("a seed repeats itself", async () => {
    const [once, again] = [await simulate({ seed: 7 }), await simulate({ seed: 7 })];
    expect(again).toEqual(once);
  });
});

describe("planted bugs", () => {
  it.each(Object.entries(BUGS))("%s is found", async (_name, bug) => {
    const broken: string[] = [];
    for (let seed = 1; seed <= SEEDS_PER_BUG && broken.length === 0; seed += 1)
      broken.push(...(await simulate({ seed, bug })).violations);
    expect(broken.map((violation) => violation.split(":")[0])).toContain(bug.found);
  });
});
