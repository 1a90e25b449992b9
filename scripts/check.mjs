/** `npm run check`: types, lint, dependency arrows, unused code, compose file, tests named by the compat table. All run; any failure counts. */
import { environmentFor, prepare, run, say } from "./prepare.mjs";

const node = await prepare();
const env = environmentFor(node);

const CHECKS = [
  ["types", "turbo", ["run", "types", "--output-logs=errors-only"]],
  ["lint and format", "biome", ["check", "--error-on-warnings", "."]],
  ["dependency arrows", "depcruise", ["--config", ".dependency-cruiser.mjs", "apps", "packages"]],
  ["unused code", "knip", []],
  ["docker-compose.yml", node, ["scripts/check-compose.mjs"]],
  ["docs/airflow-compat.md", node, ["scripts/check-compat.mjs"]],
];

const failed = [];
for (const [name, command, args] of CHECKS) {
  const begun = Date.now();
  const code = await run(command, args, { env: { ...env, TURBO_TELEMETRY_DISABLED: "1", DO_NOT_TRACK: "1" } });
  say(`${code === 0 ? "ok    " : "FAILED"} ${name} (${((Date.now() - begun) / 1000).toFixed(1)} s)`);
  if (code !== 0) failed.push(name);
}
if (failed.length > 0) say(`\nFailed: ${failed.join(", ")}`);
process.exit(failed.length === 0 ? 0 : 1);
