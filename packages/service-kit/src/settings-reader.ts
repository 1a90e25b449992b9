/**
 * Reads settings from an environment record, one by one, and collects what is wrong so that a user sees all of it at
 * once. Used by `config.ts` only.
 */
import type { z } from "zod";
import { ConfigError } from "./errors.ts";
import { nearest } from "./suggestion.ts";

/** The environment as `process.env` gives it. */
export type Environment = Readonly<Record<string, string | undefined>>;

/** How one setting is read. */
export interface Setting<T> {
  /** Environment variables that set it; the first that is there wins. */
  readonly keys: readonly [string, ...string[]];
  readonly schema: z.ZodType<T, string>;
  readonly fallback: T;
  /** The value never shows in a message. */
  readonly secret?: boolean;
}

const OWN_PREFIXES = ["AIRFLOW__", "UPDRAFT__"] as const;

export class SettingsReader {
  readonly #env: Environment;
  readonly #problems: string[] = [];
  readonly #knownKeys = new Set<string>();

  constructor(env: Environment) {
    this.#env = env;
  }

  /** The setting's value; a wrong one is noted and read as its fallback, so that reading goes on. */
  read<T>(setting: Setting<T>): T {
    for (const key of setting.keys) this.#knownKeys.add(key);
    const key = setting.keys.find((name) => this.isSet(name));
    if (key === undefined) return setting.fallback;

    const value = (this.#env[key] ?? "").trim();
    const parsed = setting.schema.safeParse(value);
    if (parsed.success) return parsed.data;
    const shown = setting.secret === true ? "(a secret value)" : JSON.stringify(value);
    const reason = parsed.error.issues[0]?.message ?? "not valid";
    this.#problems.push(`${key}=${shown}: ${reason}. Change ${key}, or unset it to use the default.`);
    return setting.fallback;
  }

  /** An empty variable counts as not set: Compose files pass `${NAME:-}` through. */
  isSet(key: string): boolean {
    return (this.#env[key] ?? "").trim() !== "";
  }

  /** Throws what was wrong with the settings read so far. */
  finish(): void {
    if (this.#problems.length > 0) throw new ConfigError(this.#problems);
  }

  /**
   * Keys that look like a misspelt one of ours. An Airflow user's environment holds many `AIRFLOW__` keys that mean
   * nothing here, so those are named only when a known key is near; an unknown `UPDRAFT__` key always is.
   */
  warnings(): string[] {
    const known = [...this.#knownKeys];
    return Object.keys(this.#env)
      .filter((key) => OWN_PREFIXES.some((prefix) => key.startsWith(prefix)) && !this.#knownKeys.has(key))
      .flatMap((key) => describeUnknownKey(key, nearest(key, known)));
  }
}

function describeUnknownKey(key: string, suggestion: string | undefined): string[] {
  if (suggestion !== undefined) return [`${key} is not a setting: did you mean ${suggestion}?`];
  return key.startsWith("UPDRAFT__") ? [`${key} is not a setting and has no effect.`] : [];
}
