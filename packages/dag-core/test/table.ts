/** Readable cases: a table in a template string. The first row names the columns; `-` is an empty cell. */

/** One record per row after the header. */
export function table(text: string): Record<string, string>[] {
  const [header = [], ...rows] = text
    .split("\n")
    .map((line) => line.trim())
    .filter((line) => line !== "" && !/^[|\-\s]+$/.test(line))
    .map((line) => line.split("|").map((cell) => cell.trim()));
  return rows.map((cells) => Object.fromEntries(header.map((name, index) => [name, cellOf(cells[index])])));
}

function cellOf(cell: string | undefined): string {
  return cell === undefined || cell === "-" ? "" : cell;
}
