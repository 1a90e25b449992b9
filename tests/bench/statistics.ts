/** Medians and spreads of measured figures. */

export interface Spread {
  readonly p50: number;
  readonly p99: number;
  readonly min: number;
  readonly max: number;
  readonly count: number;
}

/** Nearest-rank percentiles; throws on an empty list, because a figure without a sample would be a lie. */
export function spread(values: readonly number[]): Spread {
  if (values.length === 0) throw new Error("no samples were measured");
  const sorted = [...values].sort((a, b) => a - b);
  const at = (share: number) => sorted[Math.max(0, Math.ceil(share * sorted.length) - 1)] ?? Number.NaN;
  return { p50: at(0.5), p99: at(0.99), min: at(0), max: at(1), count: sorted.length };
}

/** Runs `once` `count` times after `warmUp` unmeasured ones; milliseconds each. */
export async function measure(count: number, warmUp: number, once: () => Promise<unknown>): Promise<Spread> {
  const values: number[] = [];
  for (let n = 0; n < warmUp + count; n++) {
    const start = performance.now();
    await once();
    if (n >= warmUp) values.push(performance.now() - start);
  }
  return spread(values);
}
