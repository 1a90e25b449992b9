/** The `updraft` command. */
import { parseArgs } from "node:util";
import { ServerError } from "@updraft/local-services";
import { SchemaTooNewError, StoreUnavailableError } from "@updraft/metadata-store";
import { ConfigError, nearest } from "@updraft/service-kit";
import { COMMANDS, type Command } from "./commands.ts";
import { commandHelp, overview } from "./help.ts";
import { UsageError } from "./usage-error.ts";

/** `-1` is a value, no option; parseArgs takes it for one unless it is disguised. */
const DISGUISE = "\0";

const exitCode = await main(process.argv.slice(2));
// A role that failed half way leaves connections behind, which would keep the process; one that runs has no code yet.
if (exitCode !== 0) process.exit(exitCode);

async function main(words: readonly string[]): Promise<number> {
  const named = commandOf(words);
  if (named === undefined) return unknownCommand(words);
  const { command, rest } = named;
  try {
    const { values, positionals } = parseArgs({
      args: disguised(rest),
      options: { ...command.options, help: { type: "boolean", short: "h" } },
      allowPositionals: command.positionals !== undefined,
    });
    if (values.help === true) {
      process.stdout.write(commandHelp(command));
      return 0;
    }
    const options = Object.fromEntries(Object.entries(values).map(([name, value]) => [name, revealed(value)]));
    return await command.run({
      ...options,
      ...namedWords(
        command,
        positionals.map((word) => String(revealed(word))),
      ),
    });
  } catch (error) {
    return report(error, command);
  }
}

function disguised(words: readonly string[]): string[] {
  return words.map((word) => (/^-\d+$/.test(word) ? `${DISGUISE}${word}` : word));
}

function revealed<T>(value: T): T | string {
  return typeof value === "string" && value.startsWith(DISGUISE) ? value.slice(DISGUISE.length) : value;
}

function namedWords({ positionals = [] }: Command, words: readonly string[]): Record<string, string> {
  const missing = positionals[words.length];
  if (missing !== undefined) throw new UsageError(`${missing} is missing.`);
  if (words.length > positionals.length) throw new UsageError(`"${words[positionals.length]}" is one word too many.`);
  return Object.fromEntries(positionals.map((name, index) => [name, words[index] ?? ""]));
}

/** The longest name wins: `db init` before `db`. */
function commandOf(words: readonly string[]): { command: Command; rest: string[] } | undefined {
  for (const length of [2, 1]) {
    const name = words.slice(0, length).join(" ");
    const command = COMMANDS.find((one) => one.name === name);
    if (command !== undefined) return { command, rest: words.slice(length) };
  }
  return undefined;
}

function unknownCommand(words: readonly string[]): number {
  const [first] = words;
  if (first === undefined || ["help", "--help", "-h"].includes(first)) {
    process.stdout.write(overview(COMMANDS));
    return 0;
  }
  const typed = words.filter((word) => !word.startsWith("-")).join(" ");
  const meant = nearest(
    typed,
    COMMANDS.map(({ name }) => name),
  );
  process.stderr.write(`There is no command "${typed}".${meant === undefined ? "" : ` Did you mean "${meant}"?`}\n\n`);
  process.stderr.write(overview(COMMANDS));
  return 2;
}

/** Errors that a user can mend are told without a stack. */
function report(error: unknown, command: Command): number {
  const known =
    error instanceof ServerError ||
    error instanceof ConfigError ||
    error instanceof StoreUnavailableError ||
    error instanceof SchemaTooNewError;
  if (known) process.stderr.write(`\n${error.message}\n`);
  else if (isUsage(error)) process.stderr.write(`${error.message}\n\n${commandHelp(command)}`);
  else process.stderr.write(`${error instanceof Error ? (error.stack ?? error.message) : String(error)}\n`);
  return isUsage(error) ? 2 : 1;
}

function isUsage(error: unknown): error is Error {
  if (error instanceof UsageError) return true;
  return error instanceof Error && String((error as NodeJS.ErrnoException).code).startsWith("ERR_PARSE_ARGS");
}
