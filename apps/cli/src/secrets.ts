/**
 * Secrets that the roles share: made once, kept in the data folder, readable by its owner alone. What the environment
 * sets wins.
 */
import { randomBytes } from "node:crypto";
import { linkSync, mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import type { Environment } from "@updraft/service-kit";

const NAMES = [
  "AIRFLOW__API_AUTH__JWT_SECRET",
  "UPDRAFT__LOGGING__LOG_SERVER_SECRET",
  "UPDRAFT__WORKER__TOKEN",
] as const;

/** Those that `environment` doesn't set, as variables. */
export function sharedSecrets(dataFolder: string, environment: Environment): Record<string, string> {
  const kept: Record<string, unknown> = JSON.parse(readOrMake(dataFolder));
  const wanted = NAMES.filter((name) => (environment[name] ?? "") === "");
  return Object.fromEntries(wanted.map((name) => [name, String(kept[name])]));
}

/** Of several processes that start at once, one makes the file: a link to an existing name fails. */
function readOrMake(dataFolder: string): string {
  mkdirSync(dataFolder, { recursive: true, mode: 0o700 });
  const file = join(dataFolder, "secrets.json");
  const draft = join(dataFolder, `.secrets.${process.pid}`);
  const made = Object.fromEntries(NAMES.map((name) => [name, randomBytes(32).toString("base64url")]));
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
