/** One role in this process, as containers run it. */
import { extendProcessEnvironment, loadConfig, processEnvironment } from "@updraft/service-kit";
import { sharedSecrets } from "./secrets.ts";

const ROLES = {
  "api-server": () => import("@updraft/api-server/main"),
  scheduler: () => import("@updraft/scheduler/main"),
  "dag-processor": () => import("@updraft/dag-processor/main"),
  triggerer: () => import("@updraft/triggerer/main"),
  worker: () => import("@updraft/worker/main"),
} as const;

export type RoleName = keyof typeof ROLES;

/** Resolves when the role runs; a signal ends the process. */
export async function runRole(name: RoleName): Promise<number> {
  const environment = processEnvironment();
  extendProcessEnvironment(sharedSecrets(loadConfig(environment).dataFolder, environment));
  await ROLES[name]();
  return 0;
}
