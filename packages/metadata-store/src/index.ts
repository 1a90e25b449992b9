/** Postgres behind the roles: migrations, transitions, reads, announcements. */
export { createAnnouncer, createListener } from "./announce.ts";
export { SchemaTooNewError, StoreUnavailableError } from "./errors.ts";
export { openMetadataStore, type StoreOptions } from "./open-store.ts";
export * from "./store.ts";
