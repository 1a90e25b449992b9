/** A process with servers, for a test to kill: prints their pids. */
import { join } from "node:path";
import { startPostgres, startRedis } from "../src/index.ts";

const folder = process.argv[2] ?? "";
const servers = await Promise.all([
  startPostgres({ dataFolder: join(folder, "postgres"), port: 0, mode: "fast" }),
  startRedis({ dataFolder: join(folder, "redis"), port: 0, mode: "fast" }),
]);
process.stdout.write(JSON.stringify(servers.map(({ pid }) => pid)));
setInterval(() => undefined, 1000);
