/**
 * The store as a process of the world reaches it. Each call is a point where its caller may die before it, die after
 * the commit without the answer, or lose the connection on either side of it.
 */
import { StoreUnavailableError } from "@updraft/metadata-store";
import type { Clock } from "@updraft/service-kit";
import type { EngineStore, SeededRandom } from "@updraft/testkit/worlds";
import type { Faults } from "./faults.ts";
import type { SimProcess } from "./process.ts";

export interface StorePlace {
  /** The one store; `clock` is set to the caller's before each call. */
  readonly store: EngineStore;
  readonly random: SeededRandom;
  readonly faults: Faults;
  readonly clock: CallersClock;
  /** Called before each call, to bring the database's clock up to date. */
  readonly arrive: () => Promise<void>;
  /** Called after each call with what it was and answered. */
  readonly leave: (call: StoreCall) => Promise<void>;
}

export interface StoreCall {
  readonly name: keyof EngineStore;
  readonly args: readonly unknown[];
  readonly result: unknown;
  readonly caller: SimProcess;
}

/** The clock of whoever calls. */
export class CallersClock implements Clock {
  #current: Clock | null = null;

  use(clock: Clock): void {
    this.#current = clock;
  }

  now(): number {
    return this.#current?.now() ?? 0;
  }

  sleep(): Promise<void> {
    throw new Error("the store never sleeps");
  }
}

export function storeFor(place: StorePlace, caller: SimProcess): EngineStore {
  const calls = Object.keys(place.store).map((name) => {
    const key = name as keyof EngineStore;
    return [key, (...args: unknown[]) => call(place, caller, key, args)] as const;
  });
  // Each entry takes and gives what the store's own method does.
  return Object.fromEntries(calls) as unknown as EngineStore;
}

async function call(place: StorePlace, caller: SimProcess, name: keyof EngineStore, args: unknown[]): Promise<unknown> {
  const { random, faults, store, clock } = place;
  await caller.wait(random.next() * 3);
  if (faults.strikes("died before a call")) return die(caller);
  if (faults.strikes("dropped before a call")) throw new StoreUnavailableError("sim", "dropped before the call");
  const method = store[name] as (...args: unknown[]) => Promise<unknown>;
  const result = await caller.kernel.outside(
    (async () => {
      await place.arrive();
      clock.use(caller.clock);
      const answered = await method(...args);
      await place.leave({ name, args, result: answered, caller });
      return answered;
    })(),
  );
  if (faults.strikes("died after a commit")) return die(caller);
  await caller.wait(faults.strikes("slow answer") ? random.next() * 4000 : random.next() * 3);
  if (faults.strikes("dropped after a commit")) throw new StoreUnavailableError("sim", "dropped after the commit");
  return result;
}

function die(caller: SimProcess): Promise<never> {
  caller.kill();
  return new Promise(() => undefined);
}
