/** Commands that work on the database directly, as the roles do. */
import { type Announcement, createAnnouncer, type MetadataStore, openMetadataStore } from "@updraft/metadata-store";
import {
  createLogger,
  loadConfig,
  processEnvironment,
  requireSettings,
  systemClock,
  systemIds,
} from "@updraft/service-kit";

export interface OpenStore {
  readonly store: MetadataStore;
  /** Wakes the roles; whatever became queued is offered by the scheduler's sweep. */
  announce(announcement: Announcement): Promise<void>;
}

export async function withStore(command: string, work: (open: OpenStore) => Promise<number>): Promise<number> {
  const config = loadConfig(processEnvironment());
  requireSettings(config, `command \`${command}\``, ["databaseUrl"]);
  const { databaseUrl, parallelism, rerunWithLatestVersion } = config;
  const logger = createLogger("cli", config.logLevel);
  const ports = { logger, clock: systemClock, ids: systemIds };
  const store = await openMetadataStore({ databaseUrl, parallelism, rerunWithLatestVersion, ...ports });
  try {
    return await work({
      store,
      async announce(announcement) {
        const queue = { offer: async () => undefined };
        const announcer = createAnnouncer({ databaseUrl, logger, queue, tokenFor: async () => "" });
        announcer.announce(announcement);
        await announcer.close();
      },
    });
  } finally {
    await store.close();
  }
}
