/**
 * `npm test`: all tests, on real servers. Arguments go to vitest, such as a file or `--project unit`. The last line
 * tells how many passed and failed.
 */
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { environmentFor, PROJECT, prepare, run, say } from "./prepare.mjs";

const node = await prepare({ ui: true });
const folder = mkdtempSync(join(tmpdir(), "updraft-results-"));
const results = join(folder, "results.json");
const vitest = join(PROJECT, "node_modules/vitest/vitest.mjs");
const reporters = ["--reporter=default", "--reporter=json", `--outputFile.json=${results}`];
const code = await run(node, [vitest, "run", ...reporters, ...process.argv.slice(2)], { env: environmentFor(node) });
summarise();
process.exit(code);

function summarise() {
  try {
    const { numPassedTests, numFailedTests, testResults } = JSON.parse(readFileSync(results, "utf8"));
    // A file that could not even be loaded holds no test that failed.
    const broken = testResults.filter((file) => file.status === "failed" && file.assertionResults.length === 0).length;
    const skipped = testResults
      .flatMap((file) => file.assertionResults)
      .filter((test) => test.status === "pending" || test.status === "skipped");
    if (skipped.length > 0)
      say(
        `${skipped.length} skipped: ${[...new Set(skipped.map((test) => test.ancestorTitles[0] ?? test.title))].join("; ")}`,
      );
    say(`${numPassedTests} passed, ${numFailedTests + broken} failed`);
  } catch (error) {
    say(`The tests left no result: ${error.message}`);
    say("0 passed, 1 failed");
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}
