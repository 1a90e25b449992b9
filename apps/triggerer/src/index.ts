/**
 * The triggerer: runs the triggers of deferred tasks in trigger hosts. It knows neither the database nor the API's
 * signing secret; its way to the metadata is the Task Execution API, with a token of its own.
 *
 * Timers and conditions over stored facts are not its business: the scheduler fires them from their rows.
 */
import { randomUUID } from "node:crypto";
import { join } from "node:path";
import type { ClaimedWatcher, TriggerEvent } from "@updraft/contract";
import type { JsonValue } from "@updraft/dag-core";
import { createArtefactCache } from "@updraft/execution-client";
import type { TriggerOutcome } from "@updraft/sdk/host";
import {
  type Clock,
  type Config,
  type Logger,
  type Metrics,
  processEnvironment,
  requireSettings,
  type Service,
  startLoop,
  systemClock,
  userName,
} from "@updraft/service-kit";
import { createTriggerHosts, type Hosted, isWatcher } from "./trigger-hosts.ts";
import { createTriggererClient } from "./triggerer-client.ts";

export interface TriggererOptions {
  readonly config: Config;
  readonly logger: Logger;
  readonly metrics: Metrics;
  readonly clock?: Clock;
}

export interface Triggerer extends Service {
  start(): Promise<void>;
}

const CLAIM_WAIT_SECONDS = 10;
/** Between two claims that failed. */
const RETRY_MS = 500;
/** Tokens of the Execution API live ten minutes. */
const RENEW_AFTER_MS = 240_000;
const MOST_EVENTS = 500;

interface Hold {
  readonly trigger: Hosted;
  /** Of a watcher: the number of the next event. */
  sequence: number;
  token: string;
  renewedAt: number;
}

export function createTriggerer({ config, logger, metrics, clock = systemClock }: TriggererOptions): Triggerer {
  const name = `triggerer-${randomUUID()}`;
  const stopping = new AbortController();
  const services: Service[] = [];
  const holds = new Map<number, Hold>();
  /** Ends that the server does not know yet. */
  const unreported = new Map<number, TriggerEvent>();
  const running = metrics.gauge("triggers_running", "Triggers that this triggerer runs");
  const client = createTriggererClient(config.executionApiUrl, name, config.triggererToken);
  const artefacts = createArtefactCache({
    folder: join(config.dataFolder, "artefacts"),
    fetch: (hash, token) => client.artefact(hash, token),
    clock,
  });
  const hosts = createTriggerHosts({
    environment: processEnvironment(),
    allowedNames: config.taskEnvironment,
    dataFolder: config.dataFolder,
    executionApiUrl: config.executionApiUrl,
    artefacts,
    logger,
    onEnded,
    onEvent,
  });
  let leaseUntil = 0;
  let wakeReports: () => void = () => undefined;

  function onEnded(trigger: Hosted, outcome: TriggerOutcome): void {
    const { id } = trigger;
    const hold = holds.get(id);
    if (hold === undefined) return;
    if (outcome.kind === "event") unreported.set(id, { ...wordOf(hold), payload: outcome.payload });
    else unreported.set(id, { ...wordOf(hold), traceback: shortened(outcome.traceback) });
    if (outcome.kind === "failure" && isWatcher(trigger)) {
      const { name: watcher, asset_name: asset, dag_id } = trigger;
      logger.warn({ watcher, asset, dag_id, traceback: outcome.traceback }, "a watcher failed and starts again later");
    }
    wakeReports();
  }

  function onEvent({ id }: ClaimedWatcher, payload: JsonValue): void {
    const hold = holds.get(id);
    if (hold === undefined) return;
    unreported.set(id, { ...wordOf(hold), payload });
    wakeReports();
  }

  function drop(id: number): void {
    holds.delete(id);
    unreported.delete(id);
    hosts.cancel(id);
  }

  async function claim(): Promise<void> {
    const capacity = config.triggererCapacity - holds.size;
    if (capacity <= 0) return void (await clock.sleep(RETRY_MS, stopping.signal));
    const sentAt = clock.now();
    try {
      for (const trigger of await client.claim(Math.min(capacity, 10_000), CLAIM_WAIT_SECONDS, stopping.signal)) {
        const sequence = isWatcher(trigger) ? trigger.event_count + 1 : 0;
        if (holds.size === 0) leaseUntil = sentAt + config.leaseSeconds * 1000;
        // The same trigger under a newer fence: this process lost it meanwhile and has it again.
        if (holds.has(trigger.id)) drop(trigger.id);
        holds.set(trigger.id, { trigger, sequence, token: trigger.token, renewedAt: clock.now() });
        hosts.start(trigger);
      }
      running.set(holds.size);
    } catch (error) {
      if (stopping.signal.aborted) return;
      logger.debug({ err: error }, "triggers could not be claimed");
      await clock.sleep(RETRY_MS, stopping.signal);
    }
  }

  async function beat(): Promise<void> {
    const asked = [...holds.values()];
    const renewing = asked.filter(({ renewedAt }) => clock.now() - renewedAt > RENEW_AFTER_MS);
    const sentAt = clock.now();
    try {
      const { held, tokens } = await client.report({
        hostname: config.instanceName,
        unixname: userName(),
        held: asked.map(({ trigger: { id, fence } }) => ({ id, fence })),
        renew: renewing.map(({ token }) => token),
      });
      leaseUntil = sentAt + config.leaseSeconds * 1000;
      const kept = new Set(held);
      for (const { trigger } of asked)
        if (!kept.has(trigger.id) && holds.get(trigger.id)?.trigger === trigger) drop(trigger.id);
      for (const [index, hold] of renewing.entries()) renew(hold, tokens[index] ?? null);
    } catch (error) {
      logger.debug({ err: error }, "the heartbeat of the triggerer was not answered");
      // Others may run them from now on.
      if (clock.now() > leaseUntil) for (const { trigger } of asked) drop(trigger.id);
    }
    running.set(holds.size);
  }

  function renew(hold: Hold, token: string | null): void {
    if (token === null) {
      drop(hold.trigger.id);
      return;
    }
    hold.token = token;
    hold.renewedAt = clock.now();
    hosts.renew(hold.trigger.id, token);
  }

  /** Repeated until the server knows: a report that arrives twice counts once. */
  async function report(): Promise<void> {
    while (unreported.size > 0) {
      const events = [...unreported.values()].slice(0, MOST_EVENTS);
      const accepted = new Set(await client.sendEvents(events));
      for (const event of events) {
        const { id, fence } = event;
        if (unreported.get(id)?.fence === fence) unreported.delete(id);
        const hold = holds.get(id);
        if (hold?.trigger.fence !== fence) continue;
        if (isWatcher(hold.trigger) && "payload" in event && accepted.has(id)) goOn(id, hold);
        else drop(id);
      }
    }
    running.set(holds.size);
  }

  function goOn(id: number, hold: Hold): void {
    hold.sequence += 1;
    hosts.stored(id);
  }

  return {
    async start() {
      requireSettings(config, "triggerer", ["triggererToken"]);
      const loop = (loopName: string, intervalMs: number, runOnce: () => Promise<unknown>) => {
        const started = startLoop({ name: loopName, intervalMs, runOnce, logger, clock });
        services.push(started);
        return started;
      };
      const reports = loop("trigger-events", config.heartbeatSeconds * 1000, report);
      wakeReports = () => reports.wake();
      loop("triggerer-report", config.heartbeatSeconds * 1000, beat);
      loop("trigger-claims", 0, claim);
      logger.info({ capacity: config.triggererCapacity }, "the triggerer runs");
    },
    async stop() {
      if (stopping.signal.aborted) return;
      stopping.abort();
      for (const service of services.toReversed()) await service.stop();
      await report().catch(() => undefined);
      await hosts.close();
      await client
        .report({ hostname: config.instanceName, unixname: userName(), state: "stopped" })
        .catch((error: unknown) => logger.debug({ err: error }, "the triggerer left without a word"));
      client.close();
    },
  };
}

function wordOf({ trigger, sequence }: Hold) {
  const { id, fence } = trigger;
  return isWatcher(trigger) ? { id, fence, sequence } : { id, fence };
}

function shortened(lines: readonly string[]): string[] {
  return lines.slice(0, 200).map((line) => line.slice(0, 10_000));
}
