/** Runs one of our TypeScript files with everything prepared: `node scripts/run.mjs FILE [ARGUMENTS]`. */
import { resolve } from "node:path";
import { environmentFor, fail, prepare, run } from "./prepare.mjs";

const [file, ...rest] = process.argv.slice(2);
if (file === undefined) fail("Usage: node scripts/run.mjs FILE [ARGUMENTS]");
const node = await prepare({ ui: true });
process.exit(await run(node, [resolve(file), ...rest], { env: environmentFor(node) }));
