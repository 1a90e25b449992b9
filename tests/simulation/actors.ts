/** The processes of the world: schedulers and api-servers run the product's code, workers its lease and its reports. */
import type { StateRequest } from "@updraft/contract";
import type { Announcement, Announcer, ClaimedTry, QueuedTry } from "@updraft/metadata-store";
import { type Scheduling, startScheduling } from "@updraft/scheduler/loops";
import type { Logger } from "@updraft/service-kit";
import type { EngineStore } from "@updraft/testkit/worlds";
import { holdTry } from "@updraft/worker/held-try";
import { reportEnd } from "@updraft/worker/report-end";
import type { SimProcess } from "./process.ts";
import { perform } from "./script.ts";
import type { World } from "./world.ts";

const LEASE_SECONDS = 10;
const HEARTBEAT_SECONDS = 2;
const QUEUED_TIMEOUT_SECONDS = 90;
const CLAIM_PAUSES_MS = [50, 200, 500, 1000, 2000];
const LONGEST_CALL_MS = 30_000;
/** By then the next try runs, where one was due at once. */
const LATEST_REPORT_MS = 8000;

/** Sends what a process announces; it may die before it has. */
function announcerOf(world: World, process: SimProcess): Announcer {
  const { queue, faults, random } = world;
  return {
    announce({ queued, wake_scheduler }: Announcement) {
      for (const offer of queued) void process.wait(random.next() * 3).then(() => queue.offer(offer));
      if (wake_scheduler && !faults.strikes("lost wake-up"))
        void process.wait(random.next() * 3).then(() => world.wakeSchedulers());
    },
    close: async () => undefined,
  };
}

export function startScheduler(world: World, process: SimProcess): Scheduling {
  const store = world.storeFor(process);
  const limits = { leaseSeconds: LEASE_SECONDS, taskQueuedTimeoutSeconds: QUEUED_TIMEOUT_SECONDS };
  const announcer = announcerOf(world, process);
  return startScheduling({ store, announcer, clock: process.clock, logger: loggerOf(world, process), ...limits });
}

/** Errors of lost connections are expected; what an audit corrects is not. */
function loggerOf(world: World, process: SimProcess): Logger {
  const logger: Logger = {
    debug: () => undefined,
    info: () => undefined,
    warn: () => undefined,
    error(fields: unknown) {
      const { err, corrected } = fields as { readonly err?: Error; readonly corrected?: readonly string[] };
      if (corrected !== undefined) world.violate("the audit finds nothing", corrected.join("; "));
      else if (err?.name !== "StoreUnavailableError") world.violate("no call fails", `${process.name}: ${err?.stack}`);
    },
    child: () => logger,
  };
  return logger;
}

/** An api-server: the way of workers and people to the store. */
export interface Api {
  readonly process: SimProcess;
  readonly store: EngineStore;
  readonly announcer: Announcer;
}

export function startApi(world: World, process: SimProcess): Api {
  return { process, store: world.storeFor(process), announcer: announcerOf(world, process) };
}

/** Null where no answer came: the api-server died, the connection broke, or it took too long. */
export async function request<T>(
  world: World,
  caller: SimProcess,
  handle: (api: Api) => Promise<T>,
  timeoutMs = LONGEST_CALL_MS,
): Promise<T | null> {
  await caller.wait(world.random.next() * 2);
  const api = world.anyApi();
  if (api === undefined) return null;
  const given = new AbortController();
  const answer = await Promise.race([
    api.process
      .wait(0)
      .then(() => handle(api))
      .then(
        (value) => ({ value }),
        (error: unknown) => {
          if ((error as Error).name !== "StoreUnavailableError")
            world.violate("no call fails", String((error as Error).stack));
          return null;
        },
      ),
    api.process.death.then(() => null),
    caller.wait(timeoutMs, given.signal).then(() => null),
  ]);
  given.abort();
  await caller.wait(world.random.next() * 2);
  return answer === null ? null : answer.value;
}

/** A worker with its slots. */
export function startWorker(world: World, process: SimProcess, concurrency: number): void {
  let running = 0;
  const consume = (message: QueuedTry): boolean => {
    if (!process.isAlive || process.isStopped || running >= concurrency) return false;
    running += 1;
    void runMessage(world, process, message).then(() => {
      running -= 1;
      world.queue.deliver();
    });
    return true;
  };
  world.queue.consumers.add(consume);
  void process.death.then(() => world.queue.consumers.delete(consume));
  void (async () => {
    for (;;) {
      await request(world, process, (api) =>
        api.store.reportJob({
          ...{ name: process.name, job_type: "WorkerJob", state: "running", hostname: process.name, unixname: "sim" },
          ...{ queues: ["default"], concurrency, running },
        }),
      );
      await process.wait(HEARTBEAT_SECONDS * 1000);
      world.queue.deliver();
    }
  })();
}

async function runMessage(world: World, process: SimProcess, message: QueuedTry): Promise<void> {
  const pid = world.nextPid();
  const claim = await claimTry(world, process, message, pid);
  if (claim === null) return;
  const { claimed, sentAt } = claim;
  const client = clientOf(world, process, claimed);
  const config = { leaseSeconds: LEASE_SECONDS, heartbeatSeconds: HEARTBEAT_SECONDS };
  const { clock } = process;
  const held = holdTry({ client, clock, config, tiId: claimed.ti_id, pid, token: "", claimedAt: sentAt });
  const holding = world.holds.begin(claimed, process, () => held.leaseUntil());
  const performance = perform(world.seed, claimed, world.successorsOf(claimed), world.isDecider(claimed));
  const done = new AbortController();
  const lost = await Promise.race([process.wait(performance.durationMs, done.signal).then(() => null), held.leaseLost]);
  done.abort();
  if (lost === null) {
    for (const attempt of [1, 2, 3]) {
      if (performance.skips.length === 0) break;
      const told = await client.skipDownstream(performance.skips);
      if (told) break;
      await clock.sleep(100 * attempt);
    }
    world.holds.end(holding);
    world.performances.set(`${claimed.ti_id}/${claimed.try_number}`, performance);
    await reportEnd({
      ...{ client, tiId: claimed.ti_id, token: () => "", request: REQUEST, clock, leaseLost: held.leaseLost },
      shutdown: new AbortController().signal,
    });
  }
  world.holds.end(holding);
  held.letGo();
}

async function claimTry(world: World, process: SimProcess, { ti_id, try_number }: QueuedTry, pid: number) {
  for (const pauseMs of CLAIM_PAUSES_MS) {
    const sentAt = process.clock.now();
    const who = { hostname: process.name, unixname: "sim", pid };
    const answer = await request(world, process, async ({ store, announcer }) => {
      const result = await store.claimTry({ ti_id, try_number, ...who });
      if (result.kind === "claimed") announcer.announce(result.announcement);
      return result;
    });
    if (answer !== null) return answer.kind === "claimed" ? { claimed: answer.try, sentAt } : null;
    await process.wait(pauseMs);
  }
  return null;
}

/** What is reported stands in the script; the request only has to be well-formed. */
const REQUEST: StateRequest = {
  ...{ state: "success", end_date: "2026-03-01T12:00:00Z", xcoms: [], task_outlets: [], outlet_events: [] },
};

type Client = Parameters<typeof holdTry>[0]["client"] & {
  skipDownstream(taskIds: readonly string[]): Promise<boolean>;
};

/** The Execution API as a worker's supervisor calls it for one try. */
function clientOf(world: World, process: SimProcess, claimed: ClaimedTry): Client {
  const { ti_id, try_number } = claimed;
  const unused = () => Promise.reject(new Error("not called in the simulation"));
  const unreachable = { kind: "unreachable", reason: "no answer" } as const;
  return {
    claim: unused,
    artefact: unused,
    reportWorker: unused,
    close: () => undefined,
    async heartbeat(_tiId, _token, pid, timeoutMs) {
      const beat = { ti_id, try_number, hostname: process.name, pid };
      const answer = await request(world, process, ({ store }) => store.heartbeat(beat), timeoutMs);
      if (answer === null) return unreachable;
      return answer === "alive" ? { kind: "alive", token: null } : { kind: "gone", reason: answer };
    },
    async finish() {
      const outcome = world.performances.get(`${ti_id}/${try_number}`)?.outcome;
      if (outcome === undefined) throw new Error(`try ${try_number} of ${ti_id} has no script`);
      const end_date = process.clock.now();
      const report = async ({ store, announcer }: Api) => {
        const result = await store.finishTry({ ti_id, try_number, outcome, end_date });
        if (result.kind === "finished") announcer.announce(result.announcement);
        return result;
      };
      if (world.faults.strikes("repeated report")) {
        const laterMs = world.random.next() * LATEST_REPORT_MS;
        void world.network.wait(laterMs).then(() => request(world, world.network, report));
      }
      const answer = await request(world, process, report);
      if (answer === null) return unreachable;
      return answer.kind === "rejected" ? { kind: "gone", reason: answer.reason } : { kind: "accepted" };
    },
    async skipDownstream(task_ids) {
      const answer = await request(world, process, async ({ store, announcer }) => {
        announcer.announce(await store.skipDownstream({ ti_id, try_number, task_ids }));
        return true;
      });
      return answer === true;
    },
  };
}
