/**
 * The engine's part of the metadata store, in memory: an independent reference for the Postgres store, and the store of
 * the simulation. It keeps rows, decides with `dag-core`, and counts everything anew; each call is atomic because
 * nothing in it waits. For tests only.
 */

import type { SchedulerStore } from "@updraft/metadata-store";
import type { Clock, Ids } from "@updraft/service-kit";
import { type Observation, observeMemory } from "../observation.ts";
import { controlCalls, type MemoryControlStore } from "./control-calls.ts";
import { dumpOf, type StoreDump } from "./dump.ts";
import { schedulerCalls } from "./scheduler-calls.ts";
import { Tables } from "./tables.ts";
import { type MemoryWorkerStore, workerCalls } from "./worker-calls.ts";

export type { StoreDump } from "./dump.ts";

/** What the simulation and the shared suite ask of a store. */
export type EngineStore = SchedulerStore & MemoryWorkerStore & MemoryControlStore;

export interface MemoryStoreOptions {
  readonly clock: Clock;
  readonly ids: Ids;
  readonly parallelism: number;
  /** The database's own clock, where it differs from the caller's. */
  readonly databaseNow?: () => number;
}

export interface MemoryDatabase {
  /** The store as a process with this clock sees it. */
  open(clock: Clock): EngineStore;
  setPool(name: string, slots: number): void;
  dump(): StoreDump;
  observe(): Observation;
}

export function createMemoryDatabase({ clock, ids, parallelism, databaseNow }: MemoryStoreOptions): MemoryDatabase {
  const tables = new Tables(parallelism);
  const now = databaseNow ?? (() => clock.now());
  return {
    open(callersClock) {
      const context = { tables, clock: callersClock, databaseNow: now, ids };
      return { ...schedulerCalls(context), ...workerCalls(context), ...controlCalls(context) };
    },
    setPool: (name, slots) => void tables.pools.set(name, slots),
    dump: () => dumpOf(tables),
    observe: () => observeMemory(tables),
  };
}
