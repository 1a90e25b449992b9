/** What tests of several packages share: databases, stores, clocks, DAGs. */
export {
  type CountedStore,
  createCountedStore,
  createTestDatabase,
  createTestStore,
  type TestStore,
} from "./test-store.ts";
export * from "./worlds.ts";
