/**
 * The administrator exists before the server listens. The published default password is good on loopback only, so a
 * server that others can reach doesn't start with it.
 */
import type { MetadataStore } from "@updraft/metadata-store";
import { type Config, ConfigError } from "@updraft/service-kit";
import { isLoopbackHost } from "../http/loopback.ts";
import { hashPassword, verifyPassword } from "./passwords.ts";

type AdminConfig = Pick<Config, "adminUsername" | "adminPassword" | "adminPasswordSet" | "apiHost">;
type UserStore = Pick<MetadataStore, "getUser" | "saveUser">;

const PUBLISHED_PASSWORD = "airflow";

export async function ensureAdmin(store: UserStore, config: AdminConfig): Promise<void> {
  const { adminUsername: username, adminPassword: password, apiHost } = config;
  const isOwn = config.adminPasswordSet && password !== PUBLISHED_PASSWORD;
  const known = await store.getUser(username);
  if (!isOwn && known?.password_is_own !== true && !isLoopbackHost(apiHost)) throw publishedPasswordError(apiHost);

  // A password somebody chose is never replaced by the default.
  if (known !== null && !isOwn) return;
  if (known?.password_is_own && (await verifyPassword(password, known.password_hash))) return;
  await store.saveUser({ username, password_hash: await hashPassword(password), password_is_own: isOwn });
}

function publishedPasswordError(host: string): ConfigError {
  return new ConfigError([
    `AIRFLOW__API__HOST is ${host}, where others can reach the server, but the administrator still has the published ` +
      "default password. Set UPDRAFT__API__ADMIN_PASSWORD to one of your own, or listen on 127.0.0.1.",
  ]);
}
