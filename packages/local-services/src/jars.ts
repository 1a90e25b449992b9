/** Servers that are sets of jars: resolved by Maven at pinned versions, each jar checked against its pinned sum. */
import { mkdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { type Pins, verifyFolder } from "./checksums.ts";
import { runFetch } from "./fetch-command.ts";
import { type Java, javaHomeOf } from "./java.ts";
import { ensureFetched, type Fetched, type FetchOptions } from "./servers-folder.ts";

export interface JarSet extends Fetched {
  /** `group:artifact:version`. */
  readonly coordinates: readonly string[];
  readonly pins: Pins;
  /** What else one can do. */
  readonly without: string;
}

/** The folder whose `lib` holds the jars. */
export function fetchJars(jars: JarSet, java: Java, options: FetchOptions): Promise<string> {
  return ensureFetched(jars, options, async (folder) => {
    await writeFile(join(folder, "pom.xml"), pomOf(jars));
    const lib = join(folder, "lib");
    await mkdir(lib);
    await runFetch({
      command: "mvn",
      args: ["-B", "dependency:copy-dependencies", `-DoutputDirectory=${lib}`, "-DincludeScope=runtime"],
      cwd: folder,
      // Maven is a Java program itself, and on some machines the only Java is the one we fetched.
      environment: { JAVA_HOME: await javaHomeOf(java) },
      missing: `Install Maven, or ${jars.without}.`,
      onProgress: options.onProgress,
    });
    await verifyFolder(lib, jars.pins);
  });
}

function pomOf({ name, coordinates }: JarSet): string {
  const dependencies = coordinates.map((coordinate) => {
    const [group, artifact, version] = coordinate.split(":");
    return `<dependency><groupId>${group}</groupId><artifactId>${artifact}</artifactId><version>${version}</version></dependency>`;
  });
  return `<project xmlns="http://maven.apache.org/POM/4.0.0"><modelVersion>4.0.0</modelVersion>
<groupId>updraft.local</groupId><artifactId>${name}</artifactId><version>1</version><packaging>pom</packaging>
<dependencies>${dependencies.join("\n")}</dependencies></project>
`;
}
