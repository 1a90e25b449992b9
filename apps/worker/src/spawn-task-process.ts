/**
 * Starts a task process, marked so that everything descending from it can be found.
 */
import type { ChildProcess } from "node:child_process";
import { type Environment, spawnUserCodeProcess } from "@updraft/service-kit";
import { MARKER_VARIABLE } from "./process-marker.ts";

export interface SpawnOptions {
  /** The worker's environment, of which little is handed on. */
  readonly environment: Environment;
  /** Names to hand on beside the usual ones. */
  readonly taskEnvironment: readonly string[];
  readonly dataFolder: string;
  readonly marker: string;
}

const MAIN = new URL("./task-process/main.ts", import.meta.url);

export function spawnTaskProcess({ environment, taskEnvironment, dataFolder, marker }: SpawnOptions): ChildProcess {
  return spawnUserCodeProcess({
    main: MAIN,
    environment,
    allowedNames: taskEnvironment,
    variables: { [MARKER_VARIABLE]: marker },
    dataFolder,
  });
}
