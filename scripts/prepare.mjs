/**
 * What every command of this project needs first, in plain Node 20: dependencies, Node 24, the built UI. Each step is
 * done only when its inputs changed.
 */
import { spawn } from "node:child_process";
import { createHash } from "node:crypto";
import { existsSync, mkdirSync, readdirSync, readFileSync, statSync, writeFileSync } from "node:fs";
import { join, resolve } from "node:path";

export const PROJECT = resolve(import.meta.dirname ?? new URL(".", import.meta.url).pathname, "..");
const OLDEST_NODE = 20;
const WANTED_NODE = 24;

/** Installs what is missing; returns the path of a Node that runs our sources. */
export async function prepare({ ui = false } = {}) {
  const major = Number.parseInt(process.versions.node, 10);
  if (major < OLDEST_NODE)
    fail(`This is Node ${process.versions.node}; Updraft's scripts need Node ${OLDEST_NODE} or newer.`);
  await installDependencies();
  const node = findNode();
  if (ui) await buildUi(node);
  return node;
}

async function installDependencies() {
  const stamp = join(PROJECT, "node_modules", ".updraft-installed");
  const wanted = () => hashOf([join(PROJECT, "package-lock.json"), join(PROJECT, "package.json")]);
  if (existsSync(stamp) && readFileSync(stamp, "utf8") === wanted()) return;
  say("Installing dependencies (once, about a minute) …");
  const begun = Date.now();
  // npm undoes what it did before it obeys, which can take a minute; the next start begins anew anyway.
  const npm = (word) => run("npm", [word, "--no-audit", "--no-fund", "--loglevel=error"], { killAfterMs: 3000 });
  if ((await npm("ci")) !== 0) {
    if (ended) process.exit(1);
    // The lock file may be behind a package.json somebody is working on.
    say("`npm ci` failed; trying `npm install` …");
    if ((await npm("install")) !== 0)
      fail("`npm install` failed; its output above says why. Check the network and the disk, then start again.");
  }
  writeFileSync(stamp, wanted());
  say(`Dependencies are there after ${((Date.now() - begun) / 1000).toFixed(0)} s.`);
}

/** Our sources are TypeScript, which Node runs as it is from 24 on. */
function findNode() {
  if (Number.parseInt(process.versions.node, 10) >= WANTED_NODE) return process.execPath;
  const own = join(PROJECT, "node_modules", `node-${process.platform}-${process.arch}`, "bin", "node");
  if (existsSync(own)) return own;
  fail(
    `Updraft runs on Node ${WANTED_NODE}; this is ${process.versions.node}, and npm has none for ${process.platform}-${process.arch}. Install Node ${WANTED_NODE} and start again.`,
  );
}

async function buildUi(node) {
  const room = join(PROJECT, "apps/web-ui");
  const built = join(room, "dist", "index.html");
  const newest = Math.max(
    ...filesBelow(join(room, "src")).map((file) => statSync(file).mtimeMs),
    statSync(join(room, "index.html")).mtimeMs,
  );
  if (existsSync(built) && statSync(built).mtimeMs > newest) return;
  say("Building the web UI …");
  const code = await run(node, [join(PROJECT, "node_modules/vite/bin/vite.js"), "build", "--logLevel", "warn"], {
    cwd: room,
  });
  if (code !== 0) fail("The web UI could not be built; the output above says why.");
}

/** The environment for our own commands: the right Node first on the PATH. */
export function environmentFor(node) {
  const cache = join(PROJECT, ".updraft", "compile-cache");
  mkdirSync(cache, { recursive: true });
  const folders = [join(node, ".."), join(PROJECT, "node_modules/.bin"), process.env.PATH];
  return { ...process.env, PATH: folders.join(":"), NODE_COMPILE_CACHE: cache };
}

let ended = false;

/** Runs a command and hands signals on, the last one by force; resolves to its exit code. */
export function run(command, args, { killAfterMs = 60_000, ...options } = {}) {
  return new Promise((done) => {
    const child = spawn(command, args, { cwd: PROJECT, stdio: "inherit", ...options });
    const hand = (signal) => {
      child.kill(ended ? "SIGKILL" : signal);
      ended = true;
      setTimeout(() => child.kill("SIGKILL"), killAfterMs).unref();
    };
    for (const signal of ["SIGINT", "SIGTERM"]) process.on(signal, hand);
    child.once("error", (error) => {
      say(`${command} could not be run: ${error.message}`);
      done(1);
    });
    child.once("exit", (code) => {
      for (const signal of ["SIGINT", "SIGTERM"]) process.off(signal, hand);
      done(code ?? 1);
    });
  });
}

export function say(text) {
  process.stdout.write(`${text}\n`);
}

export function fail(text) {
  process.stderr.write(`\n${text}\n`);
  process.exit(1);
}

function hashOf(files) {
  const hash = createHash("sha256");
  for (const file of files) hash.update(readFileSync(file));
  return hash.digest("hex");
}

function filesBelow(folder) {
  return readdirSync(folder, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath ?? entry.path, entry.name));
}
