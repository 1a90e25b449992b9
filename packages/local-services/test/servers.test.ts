/** Postgres and Redis as real child processes: what survives, what ends, what is said. */
import { spawn } from "node:child_process";
import { once } from "node:events";
import { chmodSync, mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { startPostgres, startRedis } from "../src/index.ts";
import { startPostgresAs } from "../src/postgres.ts";
import { otherUser } from "../src/postgres-owner.ts";

let folder: string;

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "updraft-servers-"));
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

test("Postgres starts fresh, stops, and starts again with the same password", async () => {
  const first = await startPostgres({ dataFolder: folder, port: 0, mode: "fast" });
  await first.stop();
  const second = await startPostgres({ dataFolder: folder, port: first.port, mode: "fast" });
  expect(second.url).toBe(first.url);
  await second.stop();
  expect(await second.exited).toEqual({ code: 0, signal: null });
});

test("a server that was killed starts again on its data", async () => {
  const first = await startPostgres({ dataFolder: folder, port: 0, mode: "fast" });
  process.kill(first.pid, "SIGKILL");
  expect((await first.exited).signal).toBe("SIGKILL");
  const second = await startPostgres({ dataFolder: folder, port: first.port, mode: "fast" });
  await second.stop();
});

test("a note about a process that works elsewhere is in nobody's way", async () => {
  const first = await startPostgres({ dataFolder: folder, port: 0, mode: "fast" });
  await first.stop();
  for (const note of ["server.pid", "data/postmaster.pid"]) writeFileSync(join(folder, note), `${process.pid}\n`);
  const second = await startPostgres({ dataFolder: folder, port: 0, mode: "fast" });
  await second.stop();
});

test("a second server on the same data is refused, and the first lives on", { timeout: 60_000 }, async () => {
  const first = await startRedis({ dataFolder: folder, port: 0, mode: "fast" });
  const second = startRedis({ dataFolder: folder, port: 0, mode: "fast" });
  await expect(second).rejects.toThrow(`process ${first.pid} already runs on the data`);
  await first.stop();
  expect(await first.exited).toEqual({ code: 0, signal: null });
});

test.skipIf(process.getuid?.() !== 0)("root without user namespaces runs Postgres as another user", async () => {
  const dataFolder = join(folder, "postgres");
  chmodSync(folder, 0o755);
  const server = await startPostgresAs(otherUser(), { dataFolder, port: 0, mode: "fast" });
  expect(statSync(join(dataFolder, "password"))).toMatchObject({ ...otherUser().owner, mode: 0o100600 });
  await server.stop();
});

test("a busy port is told with its holder and the variable to set", async () => {
  const taken = createServer().listen(0, "127.0.0.1");
  await once(taken, "listening");
  const address = taken.address();
  const port = typeof address === "object" && address !== null ? address.port : 0;
  const start = startRedis({ dataFolder: folder, port, mode: "fast" });
  await expect(start).rejects.toThrow(new RegExp(`port ${port} on 127.0.0.1 is in use.*UPDRAFT__SERVICES__REDIS_PORT`));
  taken.close();
});

describe.skipIf(process.platform !== "linux")("kill -9 of the parent (needs setpriv, so Linux only)", () => {
  test("no server outlives it", async () => {
    const parent = spawn(
      process.execPath,
      [fileURLToPath(new URL("./parent-of-servers.ts", import.meta.url)), folder],
      { stdio: ["ignore", "pipe", "inherit"] },
    );
    const [output] = await once(parent.stdout, "data");
    const pids: number[] = JSON.parse(String(output));
    expect(pids).toHaveLength(2);
    parent.kill("SIGKILL");
    await once(parent, "exit");
    await expect.poll(() => pids.filter(isRunning), { timeout: 5000 }).toEqual([]);
  });
});

function isRunning(pid: number): boolean {
  try {
    process.kill(pid, 0);
  } catch {
    return false;
  }
  return !isZombie(pid);
}

/** Where nobody reaps, a dead process stays listed. */
function isZombie(pid: number): boolean {
  try {
    return /\) Z /.test(readFileSync(`/proc/${pid}/stat`, "utf8"));
  } catch {
    return true;
  }
}
