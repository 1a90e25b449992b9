/**
 * The trigger hosts of a triggerer: one for each artefact whose triggers are waited for, ended when it has none left.
 *
 * A host that breaks takes its triggers with it; they start again in a fresh one, and fail after some times, since one of
 * them is likely to be what breaks it.
 */
import type { ClaimedTrigger, ClaimedWatcher } from "@updraft/contract";
import type { JsonValue } from "@updraft/dag-core";
import type { ArtefactCache } from "@updraft/execution-client";
import type { TriggerOutcome } from "@updraft/sdk/host";
import type { Logger } from "@updraft/service-kit";
import type { FromTriggerHost, ToTriggerHost } from "./protocol.ts";
import { type TriggerHostOptions, TriggerHostProcess } from "./trigger-host-process.ts";

export interface TriggerHostsOptions
  extends Pick<TriggerHostOptions, "environment" | "allowedNames" | "dataFolder" | "executionApiUrl"> {
  readonly artefacts: ArtefactCache;
  readonly logger: Logger;
  readonly onEnded: (trigger: Hosted, outcome: TriggerOutcome) => void;
  /** A watcher waits until it hears that its event is stored. */
  readonly onEvent: (watcher: ClaimedWatcher, payload: JsonValue) => void;
}

/** What a task waits for, or what watches an asset. */
export type Hosted = ClaimedTrigger | ClaimedWatcher;

export function isWatcher(hosted: Hosted): hosted is ClaimedWatcher {
  return "event_count" in hosted;
}

export interface TriggerHosts {
  /** Runs a trigger until it ends or is cancelled. */
  start(trigger: Hosted): void;
  /** The event that a watcher told is stored; it goes on. */
  stored(id: number): void;
  renew(id: number, token: string): void;
  cancel(id: number): void;
  close(): Promise<void>;
}

const MOST_STARTS = 3;

interface Held {
  trigger: Hosted;
  starts: number;
}

export function createTriggerHosts(options: TriggerHostsOptions): TriggerHosts {
  const { artefacts, logger, onEnded, onEvent } = options;
  const held = new Map<number, Held>();
  const hosts = new Map<string, Promise<TriggerHostProcess>>();
  let closing = false;

  async function open({ artefact_hash, token }: Hosted): Promise<TriggerHostProcess> {
    const artefactPath = await artefacts.pathOf(artefact_hash, token);
    const host = new TriggerHostProcess({ ...options, artefactPath, onMessage: receive });
    return host;
  }

  function hostOf(trigger: Hosted): Promise<TriggerHostProcess> {
    const { artefact_hash: hash } = trigger;
    const known = hosts.get(hash);
    if (known !== undefined) return known;
    const opening = open(trigger);
    hosts.set(hash, opening);
    void opening.then(
      async (host) => {
        const reason = await host.ended;
        // One that was ended for want of triggers is not there any more; another may have taken its place.
        if (hosts.get(hash) === opening) onHostEnded(hash, reason);
      },
      () => hosts.delete(hash),
    );
    return opening;
  }

  async function launch(one: Held): Promise<void> {
    const { trigger } = one;
    one.starts += 1;
    try {
      const host = await hostOf(trigger);
      if (held.get(trigger.id) === one) host.tell(startOf(one.trigger));
    } catch (error) {
      end(one, { kind: "failure", traceback: [error instanceof Error ? error.message : String(error)] });
    }
  }

  function end(one: Held, outcome: TriggerOutcome): void {
    if (held.get(one.trigger.id) !== one) return;
    held.delete(one.trigger.id);
    onEnded(one.trigger, outcome);
    void closeIdle(one.trigger.artefact_hash);
  }

  async function closeIdle(hash: string): Promise<void> {
    if ([...held.values()].some(({ trigger }) => trigger.artefact_hash === hash)) return;
    const host = hosts.get(hash);
    hosts.delete(hash);
    await (await host)?.kill();
  }

  function onHostEnded(hash: string, reason: string): void {
    const left = [...held.values()].filter(({ trigger }) => trigger.artefact_hash === hash);
    hosts.delete(hash);
    if (closing) return;
    logger.warn({ artefact: hash, triggers: left.length, reason }, "a trigger host ended");
    for (const one of left) {
      if (one.starts < MOST_STARTS) void launch(one);
      else end(one, { kind: "failure", traceback: [reason] });
    }
  }

  function receive(message: FromTriggerHost): void {
    const one = held.get(message.id);
    if (one === undefined) return;
    if (message.kind === "ended") {
      end(one, message.outcome);
      return;
    }
    if (message.kind === "event") {
      if (isWatcher(one.trigger)) onEvent(one.trigger, message.payload);
      return;
    }
    const { level, event } = message.record;
    const log = level === "warning" ? "warn" : level;
    logger[log]({ trigger_id: message.id, ...whoseLog(one.trigger) }, event);
  }

  return {
    start(trigger) {
      const one = { trigger, starts: 0 };
      held.set(trigger.id, one);
      void launch(one);
    },
    stored(id) {
      const one = held.get(id);
      if (one === undefined) return;
      // It works: what broke its host before is over.
      one.starts = 1;
      void hosts.get(one.trigger.artefact_hash)?.then((host) => host.tell({ kind: "stored", id }));
    },
    renew(id, token) {
      const one = held.get(id);
      if (one === undefined) return;
      one.trigger = { ...one.trigger, token };
      void hosts.get(one.trigger.artefact_hash)?.then((host) => host.tell({ kind: "token", id, token }));
    },
    cancel(id) {
      const one = held.get(id);
      if (one === undefined) return;
      held.delete(id);
      void hosts.get(one.trigger.artefact_hash)?.then((host) => host.tell({ kind: "cancel", id }));
      void closeIdle(one.trigger.artefact_hash);
    },
    async close() {
      closing = true;
      const open = await Promise.allSettled(hosts.values());
      await Promise.all(open.map((host) => (host.status === "fulfilled" ? host.value.kill() : undefined)));
    },
  };
}

function startOf(hosted: Hosted): ToTriggerHost {
  if (!isWatcher(hosted)) return { kind: "start", trigger: assignmentOf(hosted) };
  const { id, classpath, token } = hosted;
  // What the API answers is JSON.
  const kwargs = hosted.kwargs as Readonly<Record<string, JsonValue>>;
  return { kind: "watch", watcher: { id, classpath, kwargs, token } };
}

function whoseLog(hosted: Hosted) {
  if (isWatcher(hosted)) return { dag_id: hosted.dag_id, watcher: hosted.name, asset: hosted.asset_name };
  const { task_id, dag_run } = hosted;
  return { dag_id: dag_run.dag_id, run_id: dag_run.run_id, task_id };
}

function assignmentOf({
  id,
  classpath,
  kwargs,
  ti_id,
  task_id,
  map_index,
  try_number,
  max_tries,
  dag_run,
  token,
}: ClaimedTrigger) {
  return {
    id,
    classpath,
    // What the API answers is JSON, and the run types are the engine's own.
    kwargs: kwargs as Readonly<Record<string, JsonValue>>,
    ti_id,
    token,
    context: {
      ...{ dag_id: dag_run.dag_id, run_id: dag_run.run_id, task_id, map_index, try_number, max_tries },
      logical_date: dag_run.logical_date,
      data_interval_start: dag_run.data_interval_start,
      data_interval_end: dag_run.data_interval_end,
      run_after: dag_run.run_after,
      conf: dag_run.conf as Readonly<Record<string, JsonValue>>,
      run_type: dag_run.run_type as "manual",
    },
  };
}
