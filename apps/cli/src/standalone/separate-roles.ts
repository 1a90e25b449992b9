/** Each role as a process of its own, started again when it ends by itself. */
import { type ChildProcess, spawn, spawnSync } from "node:child_process";
import { setTimeout as delay } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import { type Config, type Logger, processEnvironment, type Service } from "@updraft/service-kit";

const ROLES = ["api-server", "dag-processor", "scheduler", "triggerer", "worker"] as const;
type RoleName = (typeof ROLES)[number];

const SHORTEST_PAUSE_MS = 200;
const LONGEST_PAUSE_MS = 5000;
const STEADY_MS = 10_000;
const READY_LIMIT_MS = 60_000;

export interface SeparateRolesOptions {
  readonly config: Config;
  readonly logger: Logger;
  readonly counts: RoleCounts;
}

/** How many processes of the roles that may run more than once. */
export interface RoleCounts {
  readonly schedulers: number;
  readonly workers: number;
}

/** Resolves when the api-server answers. */
export async function startSeparateRoles({ config, logger, counts }: SeparateRolesOptions): Promise<Service> {
  const stopping = new AbortController();
  const kept = placesOf(config, counts).map((place) => keepRole(place, logger, stopping.signal));
  const stop = async () => {
    stopping.abort();
    await Promise.all(kept);
  };
  try {
    await whenAnswering(`http://127.0.0.1:${config.apiPort}/api/v2/version`);
    return { stop };
  } catch (error) {
    await stop();
    throw error;
  }
}

interface Place {
  readonly role: RoleName;
  readonly environment: Readonly<Record<string, string>>;
}

/** Further workers get a name and a port for their logs of their own. */
function placesOf({ instanceName, workerLogServerPort }: Config, { schedulers, workers }: RoleCounts): Place[] {
  const others = Array.from({ length: workers - 1 }, (_, index) => ({
    role: "worker" as const,
    environment: {
      UPDRAFT__CORE__INSTANCE_NAME: `${instanceName}-${index + 2}`,
      AIRFLOW__LOGGING__WORKER_LOG_SERVER_PORT: `${workerLogServerPort === 0 ? 0 : workerLogServerPort + index + 1}`,
    },
  }));
  const further = Array.from({ length: schedulers - 1 }, () => ({ role: "scheduler" as const, environment: {} }));
  return [...ROLES.map((role) => ({ role, environment: {} })), ...further, ...others];
}

async function keepRole(place: Place, logger: Logger, stopping: AbortSignal): Promise<void> {
  const { role } = place;
  let pause = SHORTEST_PAUSE_MS;
  while (!stopping.aborted) {
    const begun = Date.now();
    const child = spawnRole(place);
    const terminate = () => child.kill("SIGTERM");
    stopping.addEventListener("abort", terminate, { once: true });
    const code = await exitOf(child);
    stopping.removeEventListener("abort", terminate);
    if (stopping.aborted) return;
    pause = Date.now() - begun > STEADY_MS ? SHORTEST_PAUSE_MS : Math.min(pause * 2, LONGEST_PAUSE_MS);
    logger.warn({ role, code }, "a role ended and is started again");
    await delay(pause, undefined, { signal: stopping }).catch(() => undefined);
  }
}

function spawnRole({ role, environment }: Place): ChildProcess {
  const main = fileURLToPath(import.meta.resolve(`@updraft/${role}/main`));
  const [command = process.execPath, ...args] = [...deathSignalPrefix(), process.execPath, main];
  return spawn(command, args, {
    stdio: ["ignore", "inherit", "inherit"],
    env: { ...processEnvironment(), ...environment },
    detached: true,
  });
}

function exitOf(child: ChildProcess): Promise<number | string | null> {
  return new Promise((resolve) => {
    child.once("exit", (code, signal) => resolve(signal ?? code));
    child.once("error", (error) => resolve(error.message));
  });
}

/** On Linux the kernel ends a role with its parent; elsewhere it notices by its database and queue going away. */
function deathSignalPrefix(): string[] {
  const works = process.platform === "linux" && spawnSync("setpriv", ["--pdeathsig", "KILL", "true"]).status === 0;
  return works ? ["setpriv", "--pdeathsig", "KILL", "--"] : [];
}

async function whenAnswering(url: string): Promise<void> {
  const until = Date.now() + READY_LIMIT_MS;
  while (Date.now() < until) {
    const answered = await fetch(url).then(
      (answer) => answer.ok,
      () => false,
    );
    if (answered) return;
    await delay(50);
  }
  throw new Error(
    `The api-server did not answer at ${url} within ${READY_LIMIT_MS / 1000} s; its output above says why.`,
  );
}
