/**
 * Reference cases from the projects that define the formats.
 *
 * They are third-party data and not part of this repository: the environment names their folder, and without it there
 * is nothing to run. The folder's own scorer judges.
 */
import { spawnSync } from "node:child_process";
import { join } from "node:path";
import { describe, expect, it } from "vitest";

/**
 * 073: Go's expfmt keeps one timestamp for a whole summary, the last one seen. This parser keeps each sample's own, as
 * the Prometheus server does.
 */
const deviations: ReadonlySet<string> = new Set(["073"]);
const folder = process.env.UPDRAFT_EXPOSITION_CASES ?? "";

describe.skipIf(folder === "")("reference cases (UPDRAFT_EXPOSITION_CASES)", () => {
  it("pass, but for the deviations that are explained", { timeout: 300_000 }, () => {
    const parser = [process.execPath, join(import.meta.dirname, "parse-stdin.ts")];
    const scored = spawnSync(process.execPath, [join(folder, "score.mjs"), "--failed", "--", ...parser], {
      encoding: "utf8",
    });
    expect(scored.stdout, scored.stderr).toMatch(/\d+ passed, \d+ failed/);
    const failed = scored.stdout.split("\n").filter((line) => line.startsWith("FAIL"));
    expect(failed.filter((line) => !deviations.has(line.split(" ")[1] ?? ""))).toEqual([]);
  });
});
