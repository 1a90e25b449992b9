/** PostgreSQL from npm's platform packages, with a password of its own, on loopback. */
import { execFile } from "node:child_process";
import { randomBytes } from "node:crypto";
import { chownSync, existsSync, readFileSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import { promisify } from "node:util";
import { claimFolder } from "./data-folder.ts";
import { serverEnvironment } from "./environment.ts";
import { claimPort } from "./ports.ts";
import { handOver, type PostgresOwner, postgresOwner } from "./postgres-owner.ts";
import { postgresPrograms } from "./postgres-programs.ts";
import { type RunningServer, type StartOptions, whenReady } from "./running-server.ts";
import { DISK_FULL, ServerError } from "./server-error.ts";
import { type ServerProcess, startServerProcess } from "./server-process.ts";

const USER = "updraft";
const READY_LIMIT_MS = 60_000;

export function startPostgres(options: StartOptions): Promise<RunningServer> {
  return startPostgresAs(postgresOwner(), options);
}

/** @internal */
export async function startPostgresAs(run: PostgresOwner, options: StartOptions): Promise<RunningServer> {
  const programs = await postgresPrograms();
  const dataFolder = await claimFolder("Postgres", options.dataFolder, "data/postmaster.pid");
  const port = await claimPort("Postgres", options.port, "UPDRAFT__SERVICES__POSTGRES_PORT");
  const folder = join(dataFolder, "data");
  const password = passwordIn(dataFolder);
  handOver(dataFolder, programs.postgres, run);
  if (!existsSync(join(folder, "PG_VERSION"))) await initialise(folder, password, programs.initdb, run);
  // Nobody runs on the folder; Postgres itself would believe any living process that has got the noted number since.
  rmSync(join(folder, "postmaster.pid"), { force: true });
  const server = startServerProcess({
    name: "Postgres",
    wrapper: run.wrapper,
    owner: run.owner,
    command: programs.postgres,
    args: ["-D", folder, ...settings({ port, mode: options.mode })],
    cwd: dataFolder,
    logFile: join(dataFolder, "postgres.log"),
    // Fast shutdown: open transactions are rolled back, nothing waits for clients.
    stopSignal: "SIGINT",
    // Killed outright it would leave its own processes to finish their queries, and its shared memory.
    deathSignal: "QUIT",
  });
  await whenReady("Postgres", server, READY_LIMIT_MS, (signal) => whenAccepting(server, signal));
  const url = `postgresql://${USER}:${password}@127.0.0.1:${port}/postgres`;
  return { url, port, pid: server.pid, exited: server.exited, stop: server.stop };
}

/** The port opens before recovery is over, so the server's own word counts. */
async function whenAccepting(server: ServerProcess, signal: AbortSignal): Promise<boolean> {
  while (!signal.aborted) {
    if (server.lastWords().includes("ready to accept connections")) return true;
    await delay(10, undefined, { signal }).catch(() => undefined);
  }
  return false;
}

function settings({ port, mode }: Pick<StartOptions, "port" | "mode">): string[] {
  const always = {
    port: String(port),
    listen_addresses: "127.0.0.1",
    unix_socket_directories: "",
    shared_buffers: "64MB",
    io_method: "sync",
    max_connections: "200",
    logging_collector: "off",
    lc_messages: "C",
  };
  const fast = { fsync: "off", synchronous_commit: "off", full_page_writes: "off" };
  return Object.entries(mode === "fast" ? { ...always, ...fast } : always).flatMap(([name, value]) => [
    "-c",
    `${name}=${value}`,
  ]);
}

/** Made once, readable by its owner alone. */
function passwordIn(dataFolder: string): string {
  const file = join(dataFolder, "password");
  if (!existsSync(file)) writeFileSync(file, randomBytes(18).toString("base64url"), { mode: 0o600 });
  return readFileSync(file, "utf8").trim();
}

/** Made beside its place and then moved: initdb writes PG_VERSION first, so a killed one would look whole. */
async function initialise(folder: string, password: string, initdb: string, run: PostgresOwner): Promise<void> {
  const unfinished = `${folder}.unfinished`;
  const passwordFile = `${folder}.password`;
  for (const left of [folder, unfinished]) rmSync(left, { recursive: true, force: true });
  writeFileSync(passwordFile, password, { mode: 0o600 });
  if (run.owner !== undefined) chownSync(passwordFile, run.owner.uid, run.owner.gid);
  const [command = initdb, ...args] = [
    ...run.wrapper,
    ...[initdb, `--pgdata=${unfinished}`, `--username=${USER}`, `--pwfile=${passwordFile}`],
    ...[
      "--auth=scram-sha-256",
      "--encoding=UTF8",
      "--locale-provider=builtin",
      "--builtin-locale=C.UTF-8",
      "--no-sync",
    ],
  ];
  try {
    await promisify(execFile)(command, args, { ...run.owner, env: serverEnvironment() });
    renameSync(unfinished, folder);
  } catch (error) {
    rmSync(unfinished, { recursive: true, force: true });
    const log = String((error as { stderr?: string }).stderr || error).trim();
    const wayOut = /No space left|ENOSPC/i.test(log) ? DISK_FULL : "Check that the folder may be written.";
    throw new ServerError(`Postgres could not make its data folder ${folder}`, wayOut, { log, cause: error });
  } finally {
    rmSync(passwordFile, { force: true });
  }
}
