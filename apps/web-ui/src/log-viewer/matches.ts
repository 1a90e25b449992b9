/** Steps through matches and places them among the rows that are shown. Pure. */

/** The match after or before `current`, around the ends. */
export function stepped(current: number, by: 1 | -1, count: number): number {
  return count === 0 ? 0 : (current + by + count) % count;
}

/** The row of a line: itself where all lines are shown, else its place among those that are; -1 where it is hidden. */
export function rowOfLine(line: number, shownLines: readonly number[] | null): number {
  if (shownLines === null) return line;
  let [low, high] = [0, shownLines.length - 1];
  while (low <= high) {
    const middle = (low + high) >> 1;
    const found = shownLines[middle] ?? 0;
    if (found === line) return middle;
    if (found < line) low = middle + 1;
    else high = middle - 1;
  }
  return -1;
}
