/**
 * Kills the task processes, and whatever they started, when the worker is gone, however it went.
 *
 * A shell waits on a pipe that only the worker holds; the kernel closes it even at `kill -9`. It lives in a session of
 * its own, so that a signal to the worker's group spares it. A Node process would do as well, at twenty times the memory.
 */
import { spawn } from "node:child_process";
import { MARKER_VARIABLE } from "./process-marker.ts";

export interface Watchdog {
  stop(): Promise<void>;
}

/**
 * `$1` is the mark's name and the worker's part of it. Process groups are told line by line for systems without
 * /proc: every line is the id of a group, and "-" before it means that the group has ended.
 */
const SCRIPT = `
groups=" "
while read -r line; do
  case "$line" in
    -*) groups=$(printf '%s' "$groups" | sed "s/ \${line#-} / /") ;;
    *) groups="$groups$line " ;;
  esac
done
for group in $groups; do kill -KILL -- "-$group" 2>/dev/null; done
[ -d /proc/self ] || exit 0
for sweep in 1 2 3; do
  for folder in /proc/[0-9]*; do
    tr '\\0' '\\n' < "$folder/environ" 2>/dev/null | grep -q "^$1\\." && kill -KILL "\${folder#/proc/}" 2>/dev/null
  done
done
exit 0
`;

export function startWatchdog(
  workerMarker: string,
): Watchdog & { watch(group: number): void; forget(group: number): void } {
  const child = spawn("/bin/sh", ["-c", SCRIPT, "updraft-watchdog", `${MARKER_VARIABLE}=${workerMarker}`], {
    detached: true,
    stdio: ["pipe", "ignore", "ignore"],
    env: { PATH: "/usr/local/bin:/usr/bin:/bin" },
    cwd: "/",
  });
  // Without /bin/sh the task processes still notice the closed IPC channel; a broken pipe here is no news.
  child.on("error", () => undefined);
  child.stdin.on("error", () => undefined);
  child.unref();
  const ended = new Promise<void>((resolve) => child.once("close", () => resolve()));

  return {
    watch: (group) => void child.stdin.write(`${group}\n`),
    forget: (group) => void child.stdin.write(`-${group}\n`),
    async stop() {
      if (child.pid === undefined) return;
      child.stdin.end();
      await ended;
    },
  };
}
