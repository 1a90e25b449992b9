/**
 * `npm run sim -- --seed=N [--count=M] [--postgres] [--bug=NAME]`: worlds from seeds N to N+M-1, each with its faults and
 * what it did. A seed that breaks an invariant prints what, and the command that shows it again.
 */
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { startPostgres } from "@updraft/local-services";
import { BUGS } from "./bugs.ts";
import { postgresStores } from "./postgres-stores.ts";
import { simulate, type Verdict, type WorldOptions } from "./world.ts";

const { values } = parseArgs({
  options: {
    seed: { type: "string", default: "1" },
    count: { type: "string", default: "1" },
    postgres: { type: "boolean", default: false },
    bug: { type: "string" },
    quiet: { type: "boolean", default: false },
  },
});

const [first, count] = [Number(values.seed), Number(values.count)];
const bug = values.bug === undefined ? undefined : BUGS[values.bug];
if (values.bug !== undefined && bug === undefined)
  throw new Error(`There is no bug ${values.bug} to plant. There are ${Object.keys(BUGS).join(", ")}.`);

const broken = values.postgres ? await onPostgres() : await run({});
process.exit(broken === 0 ? 0 : 1);

async function onPostgres(): Promise<number> {
  const folder = mkdtempSync(join(tmpdir(), "updraft-sim-"));
  const server = await startPostgres({ dataFolder: join(folder, "postgres"), port: 0, mode: "fast" });
  try {
    return await run(await postgresStores(server.url));
  } finally {
    await server.stop();
    rmSync(folder, { recursive: true, force: true });
  }
}

/** How many seeds broke an invariant. */
async function run(options: Omit<WorldOptions, "seed">): Promise<number> {
  const begun = process.hrtime.bigint();
  let [failed, faultless] = [0, 0];
  for (let seed = first; seed < first + count; seed += 1) {
    const verdict = await simulate({ seed, ...options, ...(bug === undefined ? {} : { bug }) });
    if (verdict.violations.length > 0) failed += 1;
    else if (sum(verdict) === 0) faultless += 1;
    if (!values.quiet || verdict.violations.length > 0) process.stdout.write(`${lineOf(verdict)}\n`);
  }
  const ms = Number(process.hrtime.bigint() - begun) / 1e6;
  const each = `${(ms / count).toFixed(0)} ms each`;
  process.stdout.write(`${count} seeds, ${failed} broken, ${faultless} without a fault (these don't count), ${each}\n`);
  return failed;
}

function lineOf(verdict: Verdict): string {
  const faults = [...verdict.faults].map(([fault, times]) => `${times} ${fault}`).join(", ");
  const did = `${verdict.runs} runs, ${verdict.tries} tries, ${verdict.calls} calls in ${(verdict.simulatedMs / 1000).toFixed(0)} s`;
  const line = `seed ${verdict.seed}: ${did}; ${sum(verdict)} faults: ${faults}`;
  if (verdict.violations.length === 0) return line;
  const flags = `${values.postgres ? " --postgres" : ""}${values.bug === undefined ? "" : ` --bug=${values.bug}`}`;
  return `${line}\n  BROKEN ${verdict.violations.join("\n         ")}\n  again: npm run sim -- --seed=${verdict.seed}${flags}`;
}

function sum({ faults }: Verdict): number {
  return [...faults.values()].reduce((total, times) => total + times, 0);
}
