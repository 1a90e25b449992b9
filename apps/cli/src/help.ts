/** Help texts. */
import type { Command } from "./commands.ts";

export function overview(commands: readonly Command[]): string {
  const width = Math.max(...commands.map(({ name }) => name.length));
  const lines = commands.map(({ name, summary }) => `  ${name.padEnd(width)}  ${summary}`);
  return `Updraft, an Airflow-compatible DAG runner.

Usage: updraft <command> [options]

Commands:
${lines.join("\n")}

Examples:
  updraft standalone               everything on this machine, UI on http://localhost:8080
  updraft standalone --help        what a command takes
`;
}

export function commandHelp({ name, summary, positionals = [], optionHelp, examples }: Command): string {
  const words = positionals.map((word) => ` ${word.toUpperCase()}`).join("");
  const options = Object.entries({ ...optionHelp, help: "show this text" });
  const width = Math.max(...options.map(([option]) => option.length));
  const lines = options.map(([option, help]) => `  --${option.padEnd(width)}  ${help}`);
  return `${summary}.

Usage: updraft ${name}${words} [options]

Options:
${lines.join("\n")}

Examples:
${examples.map((example) => `  ${example}`).join("\n")}
`;
}
