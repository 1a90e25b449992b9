/**
 * No Docker engine is needed to see that the image would work: its COPY set and RUN steps are performed in an empty
 * folder, and every command that docker-compose.yml gives it is started there as an unprivileged user, with the
 * environment of the compose file; only the addresses are those of servers started here.
 */
import { type ChildProcess, execFileSync, spawn } from "node:child_process";
import { chmodSync, chownSync, cpSync, mkdirSync, mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { startPostgres, startRedis } from "@updraft/local-services";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { parse } from "yaml";
import { freePorts, PROJECT } from "../support/product.ts";
import { until } from "../support/rest-client.ts";
import { instructions } from "./dockerfile.ts";

interface ComposeService {
  readonly command?: readonly string[];
  readonly environment?: Readonly<Record<string, string>>;
}

const IMAGE_USER = 1000;
const isRoot = process.getuid?.() === 0;
const steps = instructions(readFileSync(join(PROJECT, "Dockerfile"), "utf8"));
const compose = parse(readFileSync(join(PROJECT, "docker-compose.yml"), "utf8"), { merge: true }) as {
  services: Record<string, ComposeService>;
};
const folder = mkdtempSync(join(tmpdir(), "updraft-image-"));
const image = join(folder, "app");
const running: ChildProcess[] = [];
const stops: (() => Promise<void>)[] = [];
let substitutions: Record<string, string> = {};

/** node and npm as the base image has them: this very Node first on PATH. */
const buildEnvironment = { ...process.env, PATH: `${dirname(process.execPath)}:${process.env.PATH}`, CI: "true" };

function perform(): void {
  const tracked = execFileSync("git", ["ls-files", "--cached", "--others", "--exclude-standard"], {
    cwd: PROJECT,
    encoding: "utf8",
    maxBuffer: 1e8,
  }).split("\n");
  for (const { keyword, rest } of steps) {
    if (keyword === "COPY") copy(rest.split(" "), tracked);
    if (keyword === "RUN" && (isRoot || !rest.includes("chown"))) {
      execFileSync("sh", ["-c", rest], { cwd: image, env: buildEnvironment, stdio: "pipe", timeout: 400_000 });
    }
  }
}

/** What git tracks stands for what .dockerignore lets through. */
function copy(words: readonly string[], tracked: readonly string[]): void {
  const sources = words.slice(0, -1).map((source) => source.replace(/^\.\//, ""));
  for (const file of tracked) {
    if (!sources.some((source) => file === source || file.startsWith(`${source}/`))) continue;
    mkdirSync(join(image, dirname(file)), { recursive: true });
    cpSync(join(PROJECT, file), join(image, file), { force: true });
  }
}

function environmentOf(service: string, extra: Record<string, string>): Record<string, string> {
  const written = Object.entries(compose.services[service]?.environment ?? {}).map(([name, value]) => [
    name,
    substitutions[name] ?? String(value),
  ]);
  return {
    PATH: buildEnvironment.PATH,
    HOME: folder,
    NODE_ENV: "production",
    ...Object.fromEntries(written),
    ...extra,
  };
}

function start(service: string, extra: Record<string, string>): { child: ChildProcess; output: () => string } {
  const entry = JSON.parse(steps.find((step) => step.keyword === "ENTRYPOINT")?.rest ?? "[]") as string[];
  const command = [process.execPath, ...entry.slice(1), ...(compose.services[service]?.command ?? [])];
  const [program = "", ...args] = isRoot
    ? ["setpriv", `--reuid=${IMAGE_USER}`, `--regid=${IMAGE_USER}`, "--clear-groups", ...command]
    : command;
  const child = spawn(program, args, {
    cwd: image,
    env: environmentOf(service, extra),
    stdio: ["ignore", "pipe", "pipe"],
  });
  running.push(child);
  let printed = "";
  for (const stream of [child.stdout, child.stderr]) stream.on("data", (data: Buffer) => (printed += data));
  return { child, output: () => printed };
}

async function answers(service: string, url: string, extra: Record<string, string>): Promise<void> {
  const { child, output } = start(service, extra);
  const ok = () =>
    fetch(url).then(
      (answer) => answer.ok,
      () => false,
    );
  await until(`${service} answers at ${url}`, 30_000, async () => child.exitCode !== null || (await ok()), output);
  expect(child.exitCode, output()).toBeNull();
}

beforeAll(async () => {
  mkdirSync(image, { recursive: true });
  chmodSync(folder, 0o755);
  perform();
  const postgres = await startPostgres({ dataFolder: join(folder, "postgres"), port: 0, mode: "fast" });
  const redis = await startRedis({ dataFolder: join(folder, "redis"), port: 0, mode: "fast" });
  stops.push(
    () => postgres.stop(),
    () => redis.stop(),
  );
  const [api, workerLog] = await freePorts(2);
  substitutions = {
    AIRFLOW__DATABASE__SQL_ALCHEMY_CONN: postgres.url,
    AIRFLOW__CELERY__BROKER_URL: redis.url,
    AIRFLOW__CORE__EXECUTION_API_SERVER_URL: `http://127.0.0.1:${api}/execution/`,
    AIRFLOW__CORE__DAGS_FOLDER: join(image, "dags"),
    AIRFLOW__API__PORT: String(api),
    UPDRAFT__METRICS__HOST: "127.0.0.1",
    UPDRAFT__CORE__DATA_FOLDER: join(image, ".updraft"),
    AIRFLOW__LOGGING__BASE_LOG_FOLDER: join(image, ".updraft/logs"),
    AIRFLOW__LOGGING__WORKER_LOG_SERVER_PORT: String(workerLog),
    UPDRAFT_ADMIN_PASSWORD: "a password of the test",
  };
  if (isRoot) chownSync(join(image, ".updraft"), IMAGE_USER, IMAGE_USER);
}, 600_000);

afterAll(async () => {
  for (const child of running) child.kill("SIGKILL");
  for (const stop of stops) await stop();
  rmSync(folder, { recursive: true, force: true, maxRetries: 5 });
});

describe("the image, performed natively", () => {
  it("initialises, then every role starts as an unprivileged user and answers", async () => {
    const init = start("init", {});
    await until("init ends", 30_000, async () => init.child.exitCode !== null, init.output);
    expect(init.child.exitCode, init.output()).toBe(0);

    const [api, scheduler, processor, worker] = await freePorts(4);
    await answers("api-server", `http://127.0.0.1:${substitutions.AIRFLOW__API__PORT}/api/v2/version`, {
      UPDRAFT__METRICS__PORT: String(api),
    });
    await answers("scheduler", `http://127.0.0.1:${scheduler}/metrics`, { UPDRAFT__METRICS__PORT: String(scheduler) });
    await answers("dag-processor", `http://127.0.0.1:${processor}/metrics`, {
      UPDRAFT__METRICS__PORT: String(processor),
    });
    await answers("worker", `http://127.0.0.1:${worker}/metrics`, { UPDRAFT__METRICS__PORT: String(worker) });

    const page = await fetch(`http://127.0.0.1:${substitutions.AIRFLOW__API__PORT}/`);
    expect(await page.text()).toContain('<div id="root">');
  }, 200_000);

  it("refuses to listen beyond loopback before a password is set", async () => {
    const fresh = await startPostgres({ dataFolder: join(folder, "fresh"), port: 0, mode: "fast" });
    stops.push(() => fresh.stop());
    const { child, output } = start("api-server", {
      AIRFLOW__DATABASE__SQL_ALCHEMY_CONN: fresh.url,
      AIRFLOW__API__PORT: String((await freePorts(1))[0]),
    });
    await until("it ends", 30_000, async () => child.exitCode !== null, output);
    expect(child.exitCode).not.toBe(0);
    expect(output()).toMatch(/password/i);
  }, 60_000);
});
