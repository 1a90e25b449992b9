/**
 * Postgres refuses to run as root. A root user therefore starts it in a user namespace where it is nobody, which
 * changes no owner and works below folders only root may enter. Containers often forbid namespaces: there it runs as
 * the machine's `postgres` or `nobody`, who then owns the data.
 */
import { execFileSync, spawnSync } from "node:child_process";
import { ServerError } from "./server-error.ts";
import type { Owner } from "./server-process.ts";

export interface PostgresOwner {
  readonly wrapper: readonly string[];
  readonly owner?: Owner;
}

const NOBODY = 65_534;

/** Who Postgres runs as, for this user on this machine. */
export function postgresOwner(): PostgresOwner {
  if (process.getuid?.() !== 0) return { wrapper: [] };
  const wrapper = ["unshare", "--user", `--map-user=${NOBODY}`, `--map-group=${NOBODY}`, "--"];
  const [program = "", ...args] = [...wrapper, "true"];
  return spawnSync(program, args).status === 0 ? { wrapper } : otherUser();
}

/** @internal the way for root where namespaces are forbidden */
export function otherUser(): PostgresOwner {
  return { wrapper: [], owner: accountOf("postgres") ?? accountOf("nobody") ?? { uid: NOBODY, gid: NOBODY } };
}

/** Gives the folder to the user Postgres runs as, and sees that this user gets to it and to the program. */
export function handOver(folder: string, program: string, { owner }: PostgresOwner): void {
  if (owner === undefined) return;
  execFileSync("chown", ["-R", `${owner.uid}:${owner.gid}`, folder]);
  if (spawnSync(program, ["--version"], { ...owner, cwd: folder }).status === 0) return;
  throw new ServerError(
    `Postgres must not run as root, and user ${owner.uid} may not enter ${folder} or run ${program}`,
    "Start as a user other than root, or move the project to a folder that every user may enter.",
  );
}

function accountOf(name: string): Owner | undefined {
  try {
    const id = (flag: string) => Number(execFileSync("id", [flag, name], { stdio: ["ignore", "pipe", "ignore"] }));
    return { uid: id("-u"), gid: id("-g") };
  } catch {
    return undefined;
  }
}
