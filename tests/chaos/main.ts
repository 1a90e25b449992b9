/** `npm run chaos`: 2,000 tasks over 200 runs through every fault, and what is left of them. */
import { LEASE_SECONDS, runChaos } from "./chaos.ts";

const begun = Date.now();
const say = (line: string) =>
  process.stdout.write(`${((Date.now() - begun) / 1000).toFixed(1).padStart(6)} s  ${line}\n`);
const report = await runChaos({ runs: 200, pauseMs: 6000, limitMs: 600_000, say });
say(`${report.tasks} tasks of ${report.runs} runs, ${report.faults.length} faults`);
say(
  `${report.lost.length} lost, ${report.doubled.length} doubled, ${report.repeated} repeated because their try was lost`,
);
say(`the slowest rescue took ${report.slowestRescueSeconds.toFixed(1)} s; two leases are ${2 * LEASE_SECONDS} s`);
for (const line of [...report.lost, ...report.doubled].slice(0, 20)) say(line);
const isClean = report.lost.length + report.doubled.length === 0 && report.slowestRescueSeconds <= 2 * LEASE_SECONDS;
process.exit(isClean ? 0 : 1);
