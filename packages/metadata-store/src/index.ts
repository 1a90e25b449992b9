/** Postgres behind the roles: migrations, transitions, reads, announcements. */
export { createAnnouncer, createListener } from "./announce.ts";
export { SchemaTooNewError, StoreUnavailableError } from "./errors.ts";
export { checkDatabase, openMetadataStore, type StoreOptions } from "./open-store.ts";
export { CLEANABLE_TABLES, type CleanableTable } from "./retention.ts";
export * from "./store.ts";
