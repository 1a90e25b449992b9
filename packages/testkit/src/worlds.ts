/** Stores, DAGs and chance for searches over many worlds. Nothing here needs a test runner. */
export { FakeClock } from "./fake-clock.ts";
export type { EngineStore, StoreDump } from "./memory-store/index.ts";
export type { Observation, SeenInstance, SeenRun } from "./observation.ts";
export { parsedFile, triggerRequest } from "./parsed-file.ts";
export { type RandomDagOptions, randomDag } from "./random-dag.ts";
export { SeededRandom } from "./seeded-random.ts";
export { createMemoryWorld, createPostgresWorld, type StoreWorld, type StoreWorldOptions } from "./store-world.ts";
