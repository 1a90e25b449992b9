/** What tests of several packages share: databases, stores, clocks, DAGs. */
export { FakeClock } from "./fake-clock.ts";
export type { EngineStore, StoreDump } from "./memory-store/index.ts";
export { parsedFile, triggerRequest } from "./parsed-file.ts";
export { createMemoryWorld, createPostgresWorld, type StoreWorld } from "./store-world.ts";
export {
  type CountedStore,
  createCountedStore,
  createTestDatabase,
  createTestStore,
  type TestStore,
} from "./test-store.ts";
