/** What every call of the in-memory store works with. */
import type { Clock, Ids } from "@updraft/service-kit";
import type { Tables } from "./tables.ts";

export interface MemoryContext {
  readonly tables: Tables;
  /** Of the caller. */
  readonly clock: Clock;
  /** Of the database: leases are measured by it alone. */
  readonly databaseNow: () => number;
  readonly ids: Ids;
}
