/** `db init`, what must be there before the roles start, each in a container of its own; `db check` and `db migrate`. */
import { hashPassword } from "@updraft/api-server";
import { checkDatabase, openMetadataStore } from "@updraft/metadata-store";
import {
  ConfigError,
  createLogger,
  loadConfig,
  processEnvironment,
  requireSettings,
  systemClock,
  systemIds,
} from "@updraft/service-kit";
import { sharedSecrets } from "./secrets.ts";
import { withStore } from "./with-store.ts";

export async function initialise(): Promise<number> {
  const environment = processEnvironment();
  const config = loadConfig(environment);
  requireSettings(config, "command `db init`", ["databaseUrl"]);
  sharedSecrets(config.dataFolder, environment);
  const logger = createLogger("db", config.logLevel);
  const { databaseUrl, parallelism, adminUsername: username } = config;
  const store = await openMetadataStore({ databaseUrl, parallelism, logger, clock: systemClock, ids: systemIds });
  try {
    const password = environment.UPDRAFT_ADMIN_PASSWORD ?? "";
    if (password === "")
      throw new ConfigError(["UPDRAFT_ADMIN_PASSWORD is not set: the password of the administrator."]);
    await store.saveUser({
      username,
      password_hash: await hashPassword(password),
      password_is_own: password !== "airflow",
    });
    process.stdout.write(`The database is up to date; ${username} may sign in.\n`);
    return 0;
  } finally {
    await store.close();
  }
}

export async function check(): Promise<number> {
  const config = loadConfig(processEnvironment());
  requireSettings(config, "command `db check`", ["databaseUrl"]);
  await checkDatabase({ databaseUrl: config.databaseUrl, logger: createLogger("db", config.logLevel) });
  process.stdout.write("The database answers.\n");
  return 0;
}

export function migrate(): Promise<number> {
  // Whoever opens the store brings its schema up to date first.
  return withStore("db migrate", async () => {
    process.stdout.write("The database is up to date.\n");
    return 0;
  });
}
