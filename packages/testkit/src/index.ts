/** What tests of several packages share: databases, clocks, DAGs. */
export { FakeClock } from "./fake-clock.ts";
export { parsedFile, triggerRequest } from "./parsed-file.ts";
export { createTestDatabase, createTestStore, type TestStore } from "./test-store.ts";
