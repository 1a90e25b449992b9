/**
 * The one place that reads this process's environment; a role's `main.ts` hands it to `loadConfig`.
 */
import type { Environment } from "./settings-reader.ts";

/** A copy of the environment as it is now. */
export function processEnvironment(): Environment {
  // biome-ignore lint/style/noProcessEnv: configuration is read here and nowhere else
  return Object.freeze({ ...process.env });
}

/** Adds to this process's environment, for the roles that are started next and whatever they spawn. */
export function extendProcessEnvironment(values: Readonly<Record<string, string>>): void {
  // biome-ignore lint/style/noProcessEnv: the counterpart of the read above
  Object.assign(process.env, values);
}
