/**
 * `npm run bench`: every row of the suite on the product as a user runs it; `npm run bench -- b1 b4` runs some. All of
 * them take about ten minutes with the default options (`options.ts`). Figures are for a quiet machine; a miss is
 * judged by multiples of the floor, which is measured in the same run.
 *
 * With AIRFLOW_BASE_URL (and AIRFLOW_USERNAME, AIRFLOW_PASSWORD) the rows whose DAG ids both have are driven on that
 * server too, and the ratio is printed.
 */
import { Bench, stopInstallations } from "./bench.ts";
import { readOptions } from "./options.ts";
import { printFloors, printRow } from "./print.ts";
import { b1 } from "./rows/b01-chain.ts";
import { b2 } from "./rows/b02-work.ts";
import { b3 } from "./rows/b03-shapes.ts";
import { b4 } from "./rows/b04-fan-out.ts";
import { b5 } from "./rows/b05-mapped.ts";
import { b6 } from "./rows/b06-open-loop.ts";
import { b7, b8 } from "./rows/b07-backlog.ts";
import { b9 } from "./rows/b09-ticks.ts";
import { b10 } from "./rows/b10-history.ts";
import { b11 } from "./rows/b11-idle.ts";
import { b12 } from "./rows/b12-files.ts";

const ROWS = [b1, b2, b3, b4, b5, b6, b7, b8, b9, b10, b11, b12];

const options = readOptions(process.argv.slice(2));
const unknown = options.rows.filter((id) => !ROWS.some((row) => row.id.toLowerCase() === id));
if (unknown.length > 0)
  throw new Error(`there is no row ${unknown.join(", ")}; known are ${ROWS.map(({ id }) => id).join(", ")}`);
const chosen = ROWS.filter(({ id }) => options.rows.length === 0 || options.rows.includes(id.toLowerCase()));

const SIGNALS = { SIGINT: 130, SIGTERM: 143, SIGHUP: 129 } as const;
for (const signal of Object.keys(SIGNALS) as (keyof typeof SIGNALS)[])
  process.once(signal, () => void stopInstallations().finally(() => process.exit(SIGNALS[signal])));

const bench = await Bench.prepare(options);
printFloors(bench.floors);
try {
  for (const row of chosen) printRow(row, await row.measure(bench));
} finally {
  await bench.close();
}
