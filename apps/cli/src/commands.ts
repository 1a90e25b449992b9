/** What the `updraft` command can do. */
import type { ParseArgsOptionsConfig } from "node:util";
import { backfillCreate } from "./backfill.ts";
import { check, initialise, migrate } from "./database.ts";
import { dbClean } from "./db-clean.ts";
import { dagsDrain } from "./drain.ts";
import { poolCommands } from "./pools.ts";
import { runRole } from "./role.ts";
import { standalone } from "./standalone/standalone.ts";
import { failedDeps } from "./tasks.ts";
import { VERSION } from "./version.ts";

export interface Command {
  readonly name: string;
  readonly summary: string;
  /** Words that must follow, by name; they are values like those of the options. */
  readonly positionals?: readonly string[];
  readonly options: ParseArgsOptionsConfig;
  /** What each option does, by its name. */
  readonly optionHelp: Readonly<Record<string, string>>;
  readonly examples: readonly string[];
  /** Resolves to the exit code. */
  readonly run: (values: Readonly<Record<string, unknown>>) => Promise<number>;
}

const NO_OPTIONS = { options: {}, optionHelp: {} };

function role(name: Parameters<typeof runRole>[0], summary: string): Command {
  return { name, summary, ...NO_OPTIONS, examples: [`updraft ${name}`], run: () => runRole(name) };
}

export const COMMANDS: readonly Command[] = [
  {
    name: "standalone",
    summary: "Start everything: servers, scheduler, api-server, dag-processor, triggerer and worker",
    options: {
      separate: { type: "boolean" },
      schedulers: { type: "string" },
      workers: { type: "string" },
      reset: { type: "boolean" },
    },
    optionHelp: {
      separate: "run each role as a process of its own",
      schedulers: "with --separate: how many schedulers (1)",
      workers: "with --separate: how many workers (1)",
      reset: "delete all data first: runs, logs, topics and tables",
    },
    examples: ["updraft standalone", "updraft standalone --separate", "AIRFLOW__API__PORT=8090 updraft standalone"],
    run: ({ separate, reset, schedulers, workers }) =>
      standalone({
        separate: separate === true,
        reset: reset === true,
        schedulers: countOf("schedulers", schedulers),
        workers: countOf("workers", workers),
      }),
  },
  role("api-server", "REST API, Task Execution API and web UI"),
  role("scheduler", "Create runs when they are due, start retries, rescue what was lost"),
  role("dag-processor", "Watch the DAGs folder and read its files"),
  role("triggerer", "Run the triggers of deferred tasks"),
  role("worker", "Take tasks from the queue and run them"),
  {
    name: "db init",
    summary: "Bring the database up to date, make the secrets, set the administrator's password",
    ...NO_OPTIONS,
    examples: ["UPDRAFT_ADMIN_PASSWORD=... updraft db init"],
    run: initialise,
  },
  {
    name: "db check",
    summary: "Say whether the database answers",
    ...NO_OPTIONS,
    examples: ["updraft db check"],
    run: check,
  },
  {
    name: "db migrate",
    summary: "Bring the schema of the database up to date",
    ...NO_OPTIONS,
    examples: ["updraft db migrate"],
    run: migrate,
  },
  dbClean,
  ...poolCommands,
  failedDeps,
  backfillCreate,
  dagsDrain,
  {
    name: "version",
    summary: "Show the version",
    ...NO_OPTIONS,
    examples: ["updraft version"],
    run: async () => {
      process.stdout.write(`${VERSION}\n`);
      return 0;
    },
  },
];

function countOf(name: string, value: unknown): number {
  const count = Number(value ?? 1);
  if (Number.isInteger(count) && count >= 1) return count;
  throw new Error(`--${name} must be a number from 1 on, not ${String(value)}`);
}
