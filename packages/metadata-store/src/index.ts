/** Postgres behind the roles: migrations, transitions, reads, announcements. */
export * from "./store.ts";
