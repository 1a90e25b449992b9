/**
 * One turn of the scheduler: everything that time brought, until nothing more is due. Each step is bounded and one
 * transaction; what it leaves to be told is announced before the next one begins.
 */
import type { Announcer, SchedulerStore, SchedulingStep } from "@updraft/metadata-store";

type Step = (store: SchedulerStore) => Promise<SchedulingStep>;

/** In this order what one step makes is found by the next. */
const STEPS: readonly Step[] = [
  (store) => store.createAssetRuns(),
  (store) => store.createDueRuns(),
  (store) => store.advanceBackfills(),
  (store) => store.startQueuedRuns(),
  (store) => store.lookAtRuns(),
  (store) => store.pauseDrained(),
  (store) => store.missDeadlines(),
  (store) => store.startDueRetries(),
  (store) => store.resumeDue(),
  (store) => store.timeOutRuns(),
  (store) => store.enqueueScheduled(),
];

/** A backlog larger than this goes on in the next turn, so that due ticks are looked at in between. */
const MOST_REPEATS = 50;

/** True when there is more to do now. */
export async function takeTurn(store: SchedulerStore, announcer: Announcer): Promise<boolean> {
  let unfinished = false;
  for (const step of STEPS) {
    let more = true;
    for (let repeats = 0; more && repeats < MOST_REPEATS; repeats += 1) {
      const result = await step(store);
      announcer.announce({ ...result.announcement, wake_scheduler: false });
      more = result.more;
    }
    unfinished ||= more;
  }
  return unfinished;
}
