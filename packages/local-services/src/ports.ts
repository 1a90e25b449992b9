/** Ports of servers: free ones, and clear words about busy ones. */
import { readdirSync, readFileSync, readlinkSync } from "node:fs";
import { connect, createServer } from "node:net";
import { setTimeout as delay } from "node:timers/promises";
import { ServerError } from "./server-error.ts";

/** A server that was killed with its parent needs a moment to let go of its port. */
const PATIENCE_MS = 2000;

/** The port itself, or a free one in place of 0. Throws when it stays busy. */
export async function claimPort(server: string, port: number, variable: string): Promise<number> {
  const until = Date.now() + PATIENCE_MS;
  for (;;) {
    try {
      return await bindOnce(port);
    } catch (error) {
      if (Date.now() >= until) throw busy(server, port, variable, error);
      await delay(100);
    }
  }
}

function busy(server: string, port: number, variable: string, cause: unknown): ServerError {
  const who = holderOf(port) ?? "another program";
  return new ServerError(
    `${server} can't start: port ${port} on 127.0.0.1 is in use by ${who}`,
    `Stop it, or set ${variable} to another port.`,
    { cause },
  );
}

function bindOnce(port: number): Promise<number> {
  return new Promise((resolve, reject) => {
    const probe = createServer();
    probe.once("error", reject);
    probe.listen(port, "127.0.0.1", () => {
      const address = probe.address();
      probe.close(() => resolve(typeof address === "object" && address !== null ? address.port : port));
    });
  });
}

/** Resolves to true when something listens, to false when `signal` aborts before. */
export async function waitForPort(port: number, signal: AbortSignal): Promise<boolean> {
  while (!signal.aborted) {
    if (await answers(port)) return true;
    await delay(20, undefined, { signal }).catch(() => undefined);
  }
  return false;
}

function answers(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect(port, "127.0.0.1");
    socket.once("connect", () => {
      socket.destroy();
      resolve(true);
    });
    socket.once("error", () => resolve(false));
  });
}

/** `name (pid 123)` of who listens on a port, where Linux tells; null otherwise. */
function holderOf(port: number): string | null {
  try {
    const inode = listeningInode(port);
    if (inode === null) return null;
    for (const pid of readdirSync("/proc").filter((name) => /^\d+$/.test(name))) {
      if (ownsSocket(pid, inode)) return `${readFileSync(`/proc/${pid}/comm`, "utf8").trim()} (pid ${pid})`;
    }
  } catch {
    // Not Linux, or not ours to look at: the message does without.
  }
  return null;
}

const LISTEN = "0A";

function listeningInode(port: number): string | null {
  const wanted = `:${port.toString(16).toUpperCase().padStart(4, "0")}`;
  for (const table of ["/proc/net/tcp", "/proc/net/tcp6"]) {
    for (const line of readFileSync(table, "utf8").split("\n").slice(1)) {
      const fields = line.trim().split(/\s+/);
      if (fields[1]?.endsWith(wanted) && fields[3] === LISTEN) return fields[9] ?? null;
    }
  }
  return null;
}

function ownsSocket(pid: string, inode: string): boolean {
  try {
    return readdirSync(`/proc/${pid}/fd`).some((fd) => readlinkSync(`/proc/${pid}/fd/${fd}`) === `socket:[${inode}]`);
  } catch {
    return false;
  }
}
