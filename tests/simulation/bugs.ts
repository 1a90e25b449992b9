/**
 * Bugs to plant, each in one place: a search that finds none of them is worth nothing. A bug changes the store that all
 * processes use, or how the world is set up; `--bug=NAME` plants it. To plant another, add an entry.
 */
import type { Announcement } from "@updraft/metadata-store";
import type { EngineStore } from "@updraft/testkit/worlds";

export interface Bug {
  /** What is wrong, and the invariant that is to find it. */
  readonly what: string;
  readonly found: string;
  readonly store?: (store: EngineStore) => EngineStore;
  /** The store admits this much more than the limit that holds. */
  readonly extraParallelism?: number;
}

const NOTHING_ANNOUNCED: Announcement = {
  ...{ queued: [], task_instances: [], dag_runs: [], dags: [], import_errors: [], wake_scheduler: false },
};
const NOTHING = { announcement: NOTHING_ANNOUNCED, more: false };

export const BUGS: Readonly<Record<string, Bug>> = {
  "one-slot-too-many": {
    what: "admission lets one try more than parallelism through",
    found: "parallelism holds",
    extraParallelism: 1,
  },
  "no-second-offer": {
    what: "lost messages are never offered again",
    found: "every run ends",
    store: (store) => ({ ...store, offerAgain: async () => NOTHING }),
  },
  "no-rescue": {
    what: "tries of dead workers are never rescued",
    found: "every run ends",
    store: (store) => ({ ...store, rescueLost: async () => NOTHING }),
  },
  "hasty-rescue": {
    what: "a try counts as lost after a third of its lease",
    found: "no try runs twice",
    store: (store) => ({ ...store, rescueLost: (seconds) => store.rescueLost(seconds / 3) }),
  },
  "swallowed-end": {
    what: "now and then an end is answered as accepted, but not stored",
    found: "an accepted end is stored",
    store(store) {
      let ends = 0;
      return {
        ...store,
        async finishTry(request) {
          ends += 1;
          if (ends % 9 !== 0) return store.finishTry(request);
          return { kind: "finished", state: "success", announcement: NOTHING_ANNOUNCED };
        },
      };
    },
  },
  "late-end": {
    what: "a late report of an earlier try ends the newer one",
    found: "an end of a try ends no later one",
    store(store) {
      const newest = new Map<string, number>();
      return {
        ...store,
        async claimTry(request) {
          const result = await store.claimTry(request);
          if (result.kind === "claimed") newest.set(request.ti_id, request.try_number);
          return result;
        },
        finishTry: (request) =>
          store.finishTry({ ...request, try_number: newest.get(request.ti_id) ?? request.try_number }),
      };
    },
  },
  "skip-by-marking": {
    what: "a decider's skip also takes tasks that run or have ended",
    found: "every transition is legal",
    store: (store) => ({
      ...store,
      async skipDownstream(request) {
        const announcement = await store.skipDownstream(request);
        const { dag_id, run_id } = announcement.task_instances[0] ?? {};
        if (dag_id === undefined || run_id === undefined) return announcement;
        const marked = await store.markTaskInstances({
          ...{ dag_id, run_id, task_ids: ["t0", "t1"], state: "skipped", dry_run: false },
          ...{ include_upstream: false, include_downstream: false, include_past: false, include_future: false },
        });
        return marked.kind === "marked" ? marked.announcement : announcement;
      },
    }),
  },
  "failure-as-skip": {
    what: "a failure is stored as a skip",
    found: "runs end as the reference says",
    store: (store) => ({
      ...store,
      finishTry: (request) =>
        store.finishTry(
          request.outcome.kind === "failed" ? { ...request, outcome: { kind: "skipped", reason: null } } : request,
        ),
    }),
  },
};
