/** Python's slices, as Airflow's Execution API takes them. */

export interface Slice {
  readonly start?: number | undefined;
  readonly stop?: number | undefined;
  readonly step?: number | undefined;
}

/** The indexes that `[start:stop:step]` takes of a list, in order. A step of 0 takes none. */
export function sliceIndexes(length: number, { start, stop, step = 1 }: Slice): number[] {
  if (step === 0) return [];
  const backwards = step < 0;
  const lowest = backwards ? -1 : 0;
  const highest = backwards ? length - 1 : length;
  const place = (given: number | undefined, absent: number) => {
    if (given === undefined) return absent;
    return Math.min(Math.max(given < 0 ? given + length : given, lowest), highest);
  };
  const first = place(start, backwards ? highest : lowest);
  const end = place(stop, backwards ? lowest : highest);
  const count = Math.max(Math.ceil((end - first) / step), 0);
  return Array.from({ length: count }, (_, n) => first + n * step);
}
