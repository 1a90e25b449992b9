/** Servers that are sets of jars: resolved by Maven at pinned versions, each jar checked against its pinned sum. */
import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { ensureFetched, type FetchOptions, type Pins, runFetch, verify } from "./servers-folder.ts";

export interface JarSet {
  /** Names the folder, such as `kafka-4.4.0`. */
  readonly name: string;
  /** `group:artifact:version`. */
  readonly coordinates: readonly string[];
  readonly pins: Pins;
}

/** The folder whose `lib` holds the jars. */
export function fetchJars({ name, coordinates, pins }: JarSet, options: FetchOptions): Promise<string> {
  return ensureFetched(name, options, async (folder) => {
    writeFileSync(join(folder, "pom.xml"), pomOf(name, coordinates));
    const lib = join(folder, "lib");
    mkdirSync(lib);
    await runFetch(
      {
        command: "mvn",
        args: ["dependency:copy-dependencies", "-q", "-B", `-DoutputDirectory=${lib}`, "-DincludeScope=runtime"],
        cwd: folder,
        missing: `Install Maven, or use a ${name.split("-")[0]} of your own (see README, "Own servers").`,
      },
      options,
    );
    verify(lib, pins);
  });
}

function pomOf(name: string, coordinates: readonly string[]): string {
  const dependencies = coordinates.map((coordinate) => {
    const [group, artifact, version] = coordinate.split(":");
    return `<dependency><groupId>${group}</groupId><artifactId>${artifact}</artifactId><version>${version}</version></dependency>`;
  });
  return `<project xmlns="http://maven.apache.org/POM/4.0.0"><modelVersion>4.0.0</modelVersion>
<groupId>updraft.local</groupId><artifactId>${name}</artifactId><version>1</version><packaging>pom</packaging>
<dependencies>${dependencies.join("\n")}</dependencies></project>
`;
}
