/**
 * Replaces secrets by `***` in what is logged. Pure but for its memory.
 */

/** Shorter secrets would blank out ordinary words (Airflow's `min_length_masked_secret`). */
const SHORTEST_SECRET = 5;
const MASK = "***";

/** Words in the names of variables and of fields in a connection's extra whose values are secrets; Airflow's list. */
const SENSITIVE_WORDS = [
  "access_token",
  "api_key",
  "apikey",
  "authorization",
  "keyfile_dict",
  "passphrase",
  "passwd",
  "password",
  "private_key",
  "secret",
  "service_account",
  "token",
];

export class SecretMasker {
  readonly #secrets = new Set<string>();
  #pattern: RegExp | undefined;

  /** Masks `secret` from now on; false if it is known or too short to be masked. */
  add(secret: string): boolean {
    if (secret.length < SHORTEST_SECRET || this.#secrets.has(secret)) return false;
    for (const form of formsOf(secret)) this.#secrets.add(form);
    const longestFirst = [...this.#secrets].toSorted((left, right) => right.length - left.length);
    this.#pattern = new RegExp(longestFirst.map(escapePattern).join("|"), "g");
    return true;
  }

  mask(text: string): string {
    return this.#pattern === undefined ? text : text.replace(this.#pattern, MASK);
  }

  /** A JSON value with every text in it masked. */
  maskValue(value: unknown): unknown {
    if (typeof value === "string") return this.mask(value);
    if (Array.isArray(value)) return value.map((part) => this.maskValue(part));
    if (typeof value !== "object" || value === null) return value;
    return Object.fromEntries(Object.entries(value).map(([name, part]) => [name, this.maskValue(part)]));
  }
}

/** How a secret may look in a log: as it is, inside JSON, inside an address; and line by line, as output arrives. */
function formsOf(secret: string): string[] {
  const lines = secret.split(/\r?\n/).filter((line) => line.length >= SHORTEST_SECRET);
  return [secret, ...lines, JSON.stringify(secret).slice(1, -1), encodeURIComponent(secret.toWellFormed())];
}

function escapePattern(text: string): string {
  return text.replace(/[\\^$.*+?()[\]{}|]/g, "\\$&");
}

/** Whether a value with this name is a secret. */
export function isSensitiveName(name: string): boolean {
  const folded = name.toLowerCase();
  return SENSITIVE_WORDS.some((word) => folded.includes(word));
}

/** The texts below sensitive names in a connection's extra. */
export function secretsOfExtra(extra: string | null): string[] {
  if (extra === null) return [];
  try {
    return secretsIn(JSON.parse(extra), false);
  } catch {
    // Not JSON: Airflow allows any text, and nothing in it has a name.
    return [];
  }
}

function secretsIn(value: unknown, sensitive: boolean): string[] {
  if (typeof value === "string") return sensitive ? [value] : [];
  if (typeof value !== "object" || value === null) return [];
  return Object.entries(value).flatMap(([name, part]) => secretsIn(part, sensitive || isSensitiveName(name)));
}
