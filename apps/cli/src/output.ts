/** How lists are printed: columns for people, JSON for programs. */
import { UsageError } from "./usage-error.ts";

export const outputOption = { output: { type: "string", short: "o" } } as const;
export const outputHelp = { output: "table or json (table)" };

type Row = Readonly<Record<string, string | number | boolean | null>>;

export function printRows(rows: readonly Row[], output: unknown): void {
  if (output === "json") process.stdout.write(`${JSON.stringify(rows, null, 2)}\n`);
  else if (output === undefined || output === "table") process.stdout.write(tableOf(rows));
  else throw new UsageError(`--output "${String(output)}" is none of table, json.`);
}

function tableOf(rows: readonly Row[]): string {
  const [first] = rows;
  if (first === undefined) return "No data found\n";
  const names = Object.keys(first);
  const cells = [names, ...rows.map((row) => names.map((name) => String(row[name] ?? "")))];
  const widths = names.map((_, column) => Math.max(...cells.map((line) => line[column]?.length ?? 0)));
  const lines = cells.map((line) =>
    line
      .map((cell, column) => cell.padEnd(widths[column] ?? 0))
      .join("  ")
      .trimEnd(),
  );
  return `${lines.join("\n")}\n`;
}
