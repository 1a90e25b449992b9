/**
 * What the libraries alone cost on this machine at this moment: the floor beneath every figure of the same run.
 * Postgres is durable (fsync on), Redis keeps its append-only file, as the product has them.
 */
import { spawn } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { startPostgres, startRedis } from "@updraft/local-services";
import { Queue, Worker } from "bullmq";
import { Redis } from "ioredis";
import pg from "pg";
import { measure, type Spread } from "./statistics.ts";

export interface Floors {
  readonly commit: Spread;
  readonly queueJob: Spread;
  readonly httpCall: Spread;
  readonly processStart: Spread;
}

export async function measureFloors(): Promise<Floors> {
  const folder = mkdtempSync(join(tmpdir(), "updraft-floor-"));
  try {
    return {
      commit: await commitFloor(folder),
      queueJob: await queueFloor(folder),
      httpCall: await httpFloor(),
      processStart: await processFloor(),
    };
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

async function commitFloor(folder: string): Promise<Spread> {
  const server = await startPostgres({ dataFolder: join(folder, "postgres"), port: 0, mode: "durable" });
  const client = new pg.Client({ connectionString: server.url });
  try {
    await client.connect();
    await client.query("CREATE TABLE floor (id int PRIMARY KEY, n int NOT NULL)");
    await client.query("INSERT INTO floor VALUES (1, 0)");
    return await measure(300, 50, () =>
      client.query({ name: "bump", text: "UPDATE floor SET n = n + 1 WHERE id = $1 AND n >= 0", values: [1] }),
    );
  } finally {
    await client.end();
    await server.stop();
  }
}

async function queueFloor(folder: string): Promise<Spread> {
  const server = await startRedis({ dataFolder: join(folder, "redis"), port: 0, mode: "durable" });
  const connection = new Redis(server.url, { maxRetriesPerRequest: null });
  const queue = new Queue("floor", { connection });
  let taken = () => {};
  const consuming = connection.duplicate();
  const worker = new Worker("floor", async () => taken(), { connection: consuming });
  try {
    await worker.waitUntilReady();
    return await measure(300, 50, async () => {
      const arrived = new Promise<void>((done) => {
        taken = done;
      });
      await queue.add("job", {}, { removeOnComplete: true });
      await arrived;
    });
  } finally {
    await worker.close();
    await queue.close();
    consuming.disconnect();
    connection.disconnect();
    await server.stop();
  }
}

async function httpFloor(): Promise<Spread> {
  const server = createServer((request, answer) => {
    request.resume().on("end", () => answer.end("{}"));
  });
  await new Promise<void>((done) => server.listen(0, "127.0.0.1", done));
  const { port } = server.address() as AddressInfo;
  try {
    return await measure(300, 50, async () =>
      (await fetch(`http://127.0.0.1:${port}/`, { method: "PATCH", body: "{}" })).text(),
    );
  } finally {
    server.closeAllConnections();
    server.close();
  }
}

function processFloor(): Promise<Spread> {
  return measure(
    11,
    2,
    () => new Promise((done) => spawn(process.execPath, ["-e", "0"], { stdio: "ignore" }).once("exit", done)),
  );
}
