/** The store for a command that changes something, with the way to tell the running roles about it. */
import { type Announcement, createAnnouncer, type MetadataStore, openMetadataStore } from "@updraft/metadata-store";
import {
  createLogger,
  loadConfig,
  processEnvironment,
  requireSettings,
  systemClock,
  systemIds,
} from "@updraft/service-kit";

export interface AnnouncingStore {
  readonly store: MetadataStore;
  announce(announcement: Announcement): void;
}

/** Opens the store for `work`, and closes it when everything was told. */
export async function withAnnouncingStore(
  command: string,
  work: (opened: AnnouncingStore) => Promise<number>,
): Promise<number> {
  const config = loadConfig(processEnvironment());
  requireSettings(config, `command \`${command}\``, ["databaseUrl"]);
  const { databaseUrl, parallelism, rerunWithLatestVersion } = config;
  const logger = createLogger("cli", config.logLevel);
  const ports = { logger, clock: systemClock, ids: systemIds };
  const store = await openMetadataStore({ databaseUrl, parallelism, rerunWithLatestVersion, ...ports });
  // The scheduler starts what these commands make, so that no task is queued yet and nothing is offered from here.
  const queue = { offer: async () => undefined };
  const announcer = createAnnouncer({ databaseUrl, logger, queue, tokenFor: async () => "" });
  try {
    return await work({ store, announce: (announcement) => announcer.announce(announcement) });
  } finally {
    await announcer.close();
    await store.close();
  }
}
