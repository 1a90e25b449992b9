/** Rows as text: median and spread, isolation, floor and multiples of it, bar and verdict, ratio to Airflow. */
import { cpus, loadavg } from "node:os";
import type { Floors } from "./floors.ts";
import type { Bar, Figure, Row } from "./row.ts";
import { type Spread, spread } from "./statistics.ts";

export function printFloors(floors: Floors): void {
  console.log(
    `${cpus().length} cores, load ${loadavg()
      .map((load) => load.toFixed(1))
      .join(" ")} before the start`,
  );
  console.log("floors of this run (p50 / p99, ms)");
  for (const [name, { p50, p99 }] of Object.entries(floors))
    console.log(`  ${name.padEnd(14)} ${p50.toFixed(2)} / ${p99.toFixed(2)}`);
  console.log("every row: default limits, durable Postgres and Redis, log files, Execution API");
}

export function printRow({ id, work }: Row, figures: readonly Figure[]): void {
  console.log(`\n${id}  ${work}   (load ${loadavg()[0]?.toFixed(1)})`);
  for (const figure of figures) console.log(`    ${textOf(figure)}`);
}

function textOf({ what, isolation, unit, samples, bars, floor, peer, note }: Figure): string {
  const ours = spread(samples.filter((sample) => !Number.isNaN(sample)));
  return [
    `${what} [${isolation}]:`,
    samples.length === 1
      ? `${number(ours.p50)} ${unit}`
      : `p50 ${number(ours.p50)} ${unit}, p99 ${number(ours.p99)} (n=${ours.count}, ${number(ours.min)} to ${number(ours.max)})`,
    ...(floor === null ? [] : [`| floor ${number(floor)} = ${(ours.p50 / floor).toFixed(1)} x`]),
    ...bars.map((bar) => `| ${verdict(bar, ours)}`),
    ...(peer === undefined
      ? []
      : [`| Airflow ${number(spread(peer).p50)} = ${(spread(peer).p50 / ours.p50).toFixed(0)} x`]),
    ...(note === undefined ? [] : [`| ${note}`]),
  ].join(" ");
}

function verdict({ of, limit }: Bar, ours: Spread): string {
  return `${of} <= ${limit}: ${ours[of] <= limit ? "holds" : "SHORT"}`;
}

function number(value: number): string {
  return value.toFixed(Math.abs(value) < 100 ? 1 : 0);
}
