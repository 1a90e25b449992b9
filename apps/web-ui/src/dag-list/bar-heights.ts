/** Heights of bars that show durations, the longest filling the height and the shortest still seen. Pure. */

const LEAST_SHARE = 0.2;

export function barHeights(seconds: readonly number[], height: number): readonly number[] {
  const longest = Math.max(...seconds, 0);
  return seconds.map((duration) => {
    const share = longest === 0 ? 0 : duration / longest;
    return Math.round(height * (LEAST_SHARE + (1 - LEAST_SHARE) * share));
  });
}
