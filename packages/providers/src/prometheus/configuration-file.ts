/** Reads prometheus.yml from disk. */
import { readFile } from "node:fs/promises";
import { resolve } from "node:path";
import { readScrapeConfiguration, type ScrapeConfiguration, type Secret } from "./scrape-config.ts";
import { ConfigurationError } from "./yaml-section.ts";

/** The configuration in the file at `path`, which counts from the working folder. */
export async function readConfigurationFile(path: string): Promise<ScrapeConfiguration> {
  const file = resolve(path);
  let text: string;
  try {
    text = await readFile(file, "utf8");
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    throw new ConfigurationError(`Reading the scrape configuration ${file} failed: ${reason}`, { cause: error });
  }
  return readScrapeConfiguration(text, path);
}

/** Every secret that stands in the file itself, so that logs can be kept free of it. */
export function secretsOf({ targets }: ScrapeConfiguration): readonly string[] {
  const secrets = targets.flatMap(({ authorization }): Secret[] => {
    if (authorization === null) return [];
    return [authorization.kind === "basic" ? authorization.password : authorization.credentials];
  });
  return [...new Set(secrets.flatMap((secret) => (secret.kind === "text" && secret.text !== "" ? [secret.text] : [])))];
}
