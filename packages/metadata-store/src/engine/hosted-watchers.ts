/**
 * Watchers as triggerers run them: taken and kept by lease like every other trigger, but for as long as they are wanted.
 *
 *   event told with its number ──► number counted and event written, in one transaction ──► told that it is stored
 *
 * An event that is told twice has a number that was counted already; one of an older hold has an older fence.
 */
import type { JsonValue } from "@updraft/dag-core";
import { NOTHING, Tidings } from "../announcement.ts";
import type { Queryable } from "../database.ts";
import type { Announcement, HostedWatcher, TriggererClaim, TriggererStore, WatcherReport } from "../store.ts";
import { writeAssetEvents } from "./asset-events.ts";
import type { Engine } from "./context.ts";

/** Seconds before a watcher that failed starts again; they double with each failure in a row. */
const FIRST_PAUSE = 5;
const LONGEST_PAUSE = 300;

export function watcherStore(engine: Engine): Pick<TriggererStore, "claimWatchers" | "reportWatchers"> {
  return {
    claimWatchers: (claim) => claimWatchers(engine.db, claim),
    reportWatchers: (reports) => reportWatchers(engine, reports),
  };
}

function claimWatchers(db: Queryable, { triggerer, capacity, lease_seconds }: TriggererClaim) {
  return db.rows<HostedWatcher>({
    name: "claim_watchers",
    text: `UPDATE trigger g SET triggerer = $1, fence = g.fence + 1, lease_until = clock_timestamp() + make_interval(secs => $3)
      FROM asset a, dag d, dag_version v
      WHERE a.id = g.asset_id AND d.dag_id = g.dag_id AND v.id = d.dag_version_id AND g.id IN (
        SELECT id FROM trigger WHERE asset_id IS NOT NULL AND (lease_until IS NULL OR lease_until < clock_timestamp())
        ORDER BY lease_until NULLS FIRST, id LIMIT $2 FOR UPDATE SKIP LOCKED)
      RETURNING g.id, g.fence, g.classpath, g.kwargs, g.event_count, g.watcher AS name, g.dag_id, v.artefact_hash,
        a.name AS asset_name, a.uri AS asset_uri`,
    values: [triggerer, capacity, lease_seconds],
  });
}

async function reportWatchers(
  engine: Engine,
  reports: readonly WatcherReport[],
): Promise<{ accepted: number[]; announcement: Announcement }> {
  const events = reports.flatMap((report) =>
    report.end.kind === "event" ? [{ ...report, payload: report.end.payload }] : [],
  );
  const failures = reports.flatMap((report) =>
    report.end.kind === "failure" ? [{ ...report, traceback: report.end.traceback }] : [],
  );
  return engine.db.transaction(async (tx) => {
    const queued = await writeEvents(engine, tx, events);
    const [stored, failed] = [await countedEvents(tx, events), await noteFailures(tx, failures)];
    const announcement = queued > 0 ? { ...new Tidings(), wake_scheduler: true } : NOTHING;
    return { accepted: [...stored, ...failed], announcement };
  });
}

type WatcherEvent = WatcherReport & { readonly payload: JsonValue };
type WatcherFailure = WatcherReport & { readonly traceback: readonly string[] };

/** How many DAGs have something new to look at. */
async function writeEvents(engine: Engine, tx: Queryable, events: readonly WatcherEvent[]): Promise<number> {
  if (events.length === 0) return 0;
  const counted = await tx.rows<{ id: number; name: string; uri: string }>({
    name: "count_watcher_events",
    text: `WITH counted AS (
        UPDATE trigger g SET event_count = h.sequence, failures = 0, failure = NULL
        FROM unnest($1::bigint[], $2::integer[], $3::bigint[]) AS h (id, fence, sequence)
        WHERE g.id = h.id AND g.fence = h.fence AND g.event_count = h.sequence - 1 AND g.asset_id IS NOT NULL
        RETURNING g.id, g.asset_id)
      SELECT c.id, a.name, a.uri FROM counted c JOIN asset a ON a.id = c.asset_id ORDER BY c.id`,
    values: holdsOf(events),
  });
  const nowhere = { source_dag_id: null, source_run_id: null, source_task_id: null, source_map_index: -1 };
  const written = counted.map(({ id, name, uri }) => {
    const payload = events.find((event) => event.id === id)?.payload ?? null;
    return { name, uri, ...nowhere, extra: { from_trigger: true, payload }, given_key: null, aliases: [] };
  });
  return (await writeAssetEvents(tx, written, engine.clock.now())).queued;
}

/** Those that are written by now, by this report or by an earlier one. */
async function countedEvents(tx: Queryable, events: readonly WatcherEvent[]): Promise<number[]> {
  if (events.length === 0) return [];
  const rows = await tx.rows<{ id: number }>({
    name: "counted_watcher_events",
    text: `SELECT g.id FROM trigger g JOIN unnest($1::bigint[], $2::integer[], $3::bigint[]) AS h (id, fence, sequence)
        ON g.id = h.id AND g.fence = h.fence WHERE g.event_count >= h.sequence`,
    values: holdsOf(events),
  });
  return rows.map(({ id }) => id);
}

/** A watcher that failed starts again after a pause, wherever there is room. */
async function noteFailures(tx: Queryable, failures: readonly WatcherFailure[]): Promise<number[]> {
  if (failures.length === 0) return [];
  const rows = await tx.rows<{ id: number }>({
    name: "note_watcher_failures",
    text: `UPDATE trigger g SET triggerer = NULL, failures = g.failures + 1, failure = h.failure,
        lease_until = clock_timestamp() + make_interval(secs => least($4 * 2 ^ least(g.failures, 30), $5))
      FROM unnest($1::bigint[], $2::integer[], $3::text[]) AS h (id, fence, failure)
      WHERE g.id = h.id AND g.fence = h.fence AND g.triggerer IS NOT NULL AND g.asset_id IS NOT NULL RETURNING g.id`,
    values: [
      failures.map(({ id }) => id),
      failures.map(({ fence }) => fence),
      failures.map(({ traceback }) => traceback.join("\n")),
      FIRST_PAUSE,
      LONGEST_PAUSE,
    ],
  });
  return rows.map(({ id }) => id);
}

function holdsOf(reports: readonly WatcherReport[]) {
  return [reports.map(({ id }) => id), reports.map(({ fence }) => fence), reports.map(({ sequence }) => sequence)];
}
