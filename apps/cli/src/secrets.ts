/**
 * Secrets that the roles share: made once, kept in the data folder, readable by its owner alone. What the environment
 * sets wins.
 */
import { randomBytes } from "node:crypto";
import { linkSync, mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import type { Environment } from "@updraft/service-kit";

/** By the file that keeps them: a file is made once and never changed, so what a later version needs has its own. */
const NAMES: Readonly<Record<string, readonly string[]>> = {
  "secrets.json": ["AIRFLOW__API_AUTH__JWT_SECRET", "UPDRAFT__LOGGING__LOG_SERVER_SECRET", "UPDRAFT__WORKER__TOKEN"],
  "triggerer-secrets.json": ["UPDRAFT__TRIGGERER__TOKEN"],
};

/** Those that `environment` doesn't set, as variables. */
export function sharedSecrets(dataFolder: string, environment: Environment): Record<string, string> {
  return Object.fromEntries(
    Object.entries(NAMES).flatMap(([file, names]) => {
      const kept: Record<string, unknown> = JSON.parse(readOrMake(dataFolder, file, names));
      const wanted = names.filter((name) => (environment[name] ?? "") === "");
      return wanted.map((name) => [name, String(kept[name])]);
    }),
  );
}

/** Of several processes that start at once, one makes the file: a link to an existing name fails. */
function readOrMake(dataFolder: string, name: string, names: readonly string[]): string {
  mkdirSync(dataFolder, { recursive: true, mode: 0o700 });
  const file = join(dataFolder, name);
  const draft = join(dataFolder, `.${name}.${process.pid}`);
  const made = Object.fromEntries(names.map((one) => [one, randomBytes(32).toString("base64url")]));
  writeFileSync(draft, JSON.stringify(made), { mode: 0o600 });
  try {
    linkSync(draft, file);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== "EEXIST") throw error;
  } finally {
    rmSync(draft);
  }
  return readFileSync(file, "utf8");
}
