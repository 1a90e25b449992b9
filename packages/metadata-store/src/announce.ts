/**
 * After the commit: messages to the queue, live events and wake-ups by NOTIFY. Nothing here is needed for correctness;
 * what is lost is found by the scheduler's sweep and by the UI's next read.
 */
import { setTimeout as delay } from "node:timers/promises";
import type { LiveEvent } from "@updraft/contract";
import type { Logger, Service } from "@updraft/service-kit";
import type pg from "pg";
import { connectAlone } from "./database.ts";
import type { Announcement, Announcer, QueuedTry } from "./store.ts";

const EVENTS = "updraft_events";
const WAKE = "updraft_wake";
/** Postgres refuses payloads of 8000 bytes and more. */
const MOST_BYTES = 7500;
const MOST_PENDING_EVENTS = 10_000;
const RECONNECT_MS = 500;
/** Events wait so long for others to travel with: a notification costs more than what it tells of. */
const GATHER_EVENTS_MS = 10;
const RESYNC: LiveEvent = { type: "resync" };

export interface AnnouncerOptions {
  readonly databaseUrl: string;
  readonly logger: Logger;
  /** A failed offer is logged; the sweep offers again. */
  readonly queue: { offer(messages: readonly (QueuedTry & { readonly token: string })[]): Promise<void> };
  /** The token by which a worker claims the try. */
  readonly tokenFor: (queued: QueuedTry) => Promise<string>;
}

export function createAnnouncer({ databaseUrl, logger, queue, tokenFor }: AnnouncerOptions): Announcer {
  let connection: Promise<pg.Client> | null = null;
  let events: LiveEvent[] = [];
  let isWakeWanted = false;
  let sending: Promise<void> | null = null;
  let waking: Promise<void> | null = null;
  const closing = new AbortController();
  const offers = new Set<Promise<void>>();

  function offerAll(queued: readonly QueuedTry[]): void {
    const offering = Promise.all(queued.map(async (one) => ({ ...one, token: await tokenFor(one) })))
      .then((messages) => queue.offer(messages))
      .catch((error: unknown) =>
        logger.warn({ err: error, count: queued.length }, "messages could not be offered; the sweep offers them again"),
      )
      .finally(() => offers.delete(offering));
    offers.add(offering);
  }

  async function connect(): Promise<pg.Client> {
    const client = connectAlone(databaseUrl);
    client.on("error", () => {
      connection = null;
    });
    await client.connect();
    // A notification is a hint: it need not wait for the disk.
    await client.query("SET synchronous_commit = off");
    return client;
  }

  async function notify(channel: string, payload: string): Promise<void> {
    try {
      connection ??= connect();
      const client = await connection;
      await client.query({ name: "notify", text: "SELECT pg_notify($1, $2)", values: [channel, payload] });
    } catch (error) {
      connection = null;
      logger.warn({ err: error, channel }, "a notification could not be sent");
    }
  }

  async function sendEvents(): Promise<void> {
    while (events.length > 0) {
      await delay(GATHER_EVENTS_MS, undefined, { signal: closing.signal }).catch(() => undefined);
      const taken = events;
      events = [];
      for (const payload of payloadsOf(taken)) await notify(EVENTS, payload);
    }
    sending = null;
  }

  /** Wakes that are wanted meanwhile become one. */
  async function wake(): Promise<void> {
    while (isWakeWanted) {
      isWakeWanted = false;
      await notify(WAKE, "");
    }
    waking = null;
  }

  return {
    announce(announcement) {
      if (announcement.queued.length > 0) offerAll(announcement.queued);
      events.push(...eventsOf(announcement));
      if (events.length > MOST_PENDING_EVENTS) events = [RESYNC];
      if (events.length > 0) sending ??= sendEvents();
      isWakeWanted ||= announcement.wake_scheduler;
      if (isWakeWanted) waking ??= wake();
    },
    async close() {
      closing.abort();
      await Promise.all([sending, waking, ...offers]);
      await connection?.then((client) => client.end()).catch(() => undefined);
    },
  };
}

/** An announcement as live events. */
function eventsOf({ dags, import_errors, dag_runs, task_instances }: Announcement): LiveEvent[] {
  return [
    ...dags.map((dag): LiveEvent => ({ type: "dag", ...dag })),
    ...import_errors.map((error): LiveEvent => ({ type: "import_error", ...error })),
    ...dag_runs.map(
      (run): LiveEvent => ({
        ...run,
        type: "dag_run",
        logical_date: iso(run.logical_date),
        start_date: iso(run.start_date),
        end_date: iso(run.end_date),
      }),
    ),
    ...task_instances.map((change): LiveEvent => ({ type: "task_instance", ...change })),
  ];
}

function iso(instant: number | null): string | null {
  return instant === null ? null : new Date(instant).toISOString();
}

/** Arrays of events as texts that fit a notification. */
function payloadsOf(events: readonly LiveEvent[]): string[] {
  const payloads: string[] = [];
  let parts: string[] = [];
  let bytes = 0;
  const flush = () => {
    if (parts.length > 0) payloads.push(`[${parts.join(",")}]`);
    parts = [];
    bytes = 0;
  };
  for (const event of events) {
    const whole = JSON.stringify(event);
    const text = Buffer.byteLength(whole) > MOST_BYTES ? JSON.stringify(RESYNC) : whole;
    if (bytes + Buffer.byteLength(text) > MOST_BYTES) flush();
    parts.push(text);
    bytes += Buffer.byteLength(text) + 1;
  }
  flush();
  return payloads;
}

export interface ListenerOptions {
  readonly databaseUrl: string;
  readonly logger: Logger;
  readonly onEvents?: (events: readonly LiveEvent[]) => void;
  readonly onWake?: () => void;
}

/** Hears what every process announces. After a break of the connection it says `resync` and wakes, as it missed some. */
export async function createListener({ databaseUrl, logger, onEvents, onWake }: ListenerOptions): Promise<Service> {
  const stopping = new AbortController();
  let client: pg.Client | null = null;

  async function listen(): Promise<pg.Client> {
    const fresh = connectAlone(databaseUrl);
    fresh.on("notification", ({ channel, payload }) => {
      if (channel === WAKE) onWake?.();
      else if (payload !== undefined) onEvents?.(JSON.parse(payload));
    });
    fresh.on("error", (error) => logger.warn({ err: error }, "the connection for live events broke"));
    fresh.on("end", () => {
      if (!stopping.signal.aborted) void reconnect();
    });
    await fresh.connect();
    if (onEvents !== undefined) await fresh.query(`LISTEN ${EVENTS}`);
    if (onWake !== undefined) await fresh.query(`LISTEN ${WAKE}`);
    return fresh;
  }

  async function reconnect(): Promise<void> {
    while (!stopping.signal.aborted) {
      await delay(RECONNECT_MS, undefined, { signal: stopping.signal }).catch(() => undefined);
      if (stopping.signal.aborted) return;
      try {
        client = await listen();
        onEvents?.([RESYNC]);
        onWake?.();
        return;
      } catch (error) {
        logger.debug({ err: error }, "still no connection for live events");
      }
    }
  }

  client = await listen();
  return {
    async stop() {
      stopping.abort();
      await client?.end().catch(() => undefined);
    },
  };
}
