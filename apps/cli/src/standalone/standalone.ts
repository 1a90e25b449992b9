/** `updraft standalone`: servers and roles from one command, ended together. */
import { claimPort } from "@updraft/local-services";
import {
  createLogger,
  extendProcessEnvironment,
  loadConfig,
  processEnvironment,
  type Service,
} from "@updraft/service-kit";
import { sharedSecrets } from "../secrets.ts";
import { resetDataFolder, takeDataFolder } from "./data-folder.ts";
import { startRoles } from "./roles.ts";
import { type RoleCounts, startSeparateRoles } from "./separate-roles.ts";
import { startServers } from "./servers.ts";

/** Beyond what a worker gives the tasks that run. */
const STOP_MARGIN_MS = 5000;
/** What is still open then, such as a connection that keeps trying, keeps nothing alive. */
const LINGER_MS = 1000;

export interface StandaloneOptions extends RoleCounts {
  readonly separate: boolean;
  readonly reset: boolean;
}

/** Resolves with the exit code after a signal ended everything. */
export async function standalone({ separate, reset, schedulers, workers }: StandaloneOptions): Promise<number> {
  const begun = Date.now();
  const first = loadConfig(processEnvironment());
  const { dataFolder } = first;
  const release = takeDataFolder(dataFolder);
  const ending = whenAskedToEnd();
  const running: Service[] = [];
  try {
    if (reset) {
      resetDataFolder(dataFolder);
      say(`Everything in ${dataFolder} was deleted, except fetched programs.`);
    }
    await claimPort("The web server", first.apiPort, "AIRFLOW__API__PORT");
    extendProcessEnvironment(sharedSecrets(dataFolder, processEnvironment()));
    const logger = createLogger("standalone", first.logLevel);
    const servers = await startServers({ environment: processEnvironment(), config: first, logger, say });
    running.push(servers);
    extendProcessEnvironment(servers.variables);
    const config = loadConfig(processEnvironment());
    running.push(
      separate
        ? await startSeparateRoles({ config, logger, counts: { schedulers, workers } })
        : await startRoles({ config, logger, services: () => servers.states() }),
    );
    say(banner(config, (Date.now() - begun) / 1000));
    await ending;
    say("Stopping …");
    return 0;
  } finally {
    for (const service of running.toReversed())
      await stopInTime(service, first.workerShutdownSeconds * 1000 + STOP_MARGIN_MS);
    release();
    setTimeout(() => process.exit(), LINGER_MS).unref();
  }
}

function banner(config: ReturnType<typeof loadConfig>, seconds: number): string {
  const login = config.adminPasswordSet
    ? `  Login  ${config.adminUsername} with the password you set`
    : `  Login  ${config.adminUsername} / airflow (the published default: it works from this machine only)`;
  return `
  Updraft is ready after ${seconds.toFixed(1)} s.

  UI     http://localhost:${config.apiPort}
${login}
  DAGs   ${config.dagsFolder}
  Logs   ${config.logsFolder}

  Ctrl-C stops everything; the data stays in ${config.dataFolder}.
`;
}

function say(text: string): void {
  process.stdout.write(`${text}\n`);
}

/** Roles whose database or queue is gone may wait for it for ever; so each part has its time, and no more. */
async function stopInTime(service: Service, limitMs: number): Promise<void> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<void>((resolve) => {
    timer = setTimeout(() => {
      say(`Something did not stop within ${limitMs / 1000} s and is left to its end.`);
      resolve();
    }, limitMs);
  });
  await Promise.race([service.stop(), late]);
  clearTimeout(timer);
}

/** A signal, or the end of the process that started this one with a channel to it. */
function whenAskedToEnd(): Promise<void> {
  return new Promise((resolve) => {
    process.on("SIGINT", () => resolve());
    process.on("SIGTERM", () => resolve());
    process.on("disconnect", () => resolve());
    // Listening on the channel must not keep this process when everything has ended.
    process.channel?.unref();
  });
}
