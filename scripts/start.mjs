/** `npm start`: prepares, then runs `updraft standalone`; ends with whoever started it. `--dev` reloads on changes. */
import { spawn } from "node:child_process";
import { join } from "node:path";
import { environmentFor, PROJECT, prepare } from "./prepare.mjs";

/** Java keeps its classes at the first stop, which takes a while. */
const LONGEST_STOP_MS = 60_000;

const words = process.argv.slice(2);
const dev = words.includes("--dev");
const node = await prepare({ ui: !dev && !words.includes("--help") });
const main = join(PROJECT, "apps/cli/src/main.ts");
const standalone = [main, "standalone", ...words.filter((word) => word !== "--dev")];
const children = [start(node, dev ? ["--watch", "--watch-preserve-output", ...standalone] : standalone)];
if (dev) {
  children.push(start(node, [join(PROJECT, "node_modules/vite/bin/vite.js")], join(PROJECT, "apps/web-ui")));
}

const parent = process.ppid;
let ending = false;
for (const signal of ["SIGINT", "SIGTERM"]) process.on(signal, end);
// A shell that was killed can't hand a signal on.
setInterval(() => process.ppid !== parent && !ending && end(), 1000).unref();

const codes = await Promise.all(children.map((child) => child.ended));
process.exit(codes.find((code) => code !== 0) ?? 0);

/** The channel ends with this process, however it ends; the child then stops everything. */
function start(command, args, cwd = PROJECT) {
  const child = spawn(command, args, {
    cwd,
    stdio: ["inherit", "inherit", "inherit", "ipc"],
    env: environmentFor(node),
    // A group of its own, so that Ctrl-C reaches it once, through this process.
    detached: true,
  });
  const ended = new Promise((done) => {
    child.once("exit", (code) => {
      done(code ?? 1);
      if (!ending) end();
    });
  });
  return { child, ended };
}

/** Asks for an orderly stop; a second Ctrl-C, or a minute, ends what did not obey. Servers end with their parent. */
function end() {
  signalAll(ending ? "SIGKILL" : "SIGTERM");
  ending = true;
  setTimeout(signalAll, LONGEST_STOP_MS, "SIGKILL").unref();
}

function signalAll(signal) {
  for (const { child } of children) child.kill(signal);
}
