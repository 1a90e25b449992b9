/** What triggerers need: triggers to run, a way to keep them, and one to tell how they ended (ours). */
import { claimTriggersRequest, type TriggerEvent, triggerEventsRequest, triggererReport } from "@updraft/contract";
import type { JsonValue } from "@updraft/dag-core";
import type { HostedTrigger } from "@updraft/metadata-store";
import type { TaskTokens } from "@updraft/service-kit";
import type { ApiContext, EventSource } from "../context.ts";
import { pathPart, type RouteTable } from "../http/routes.ts";
import { parseBody } from "../http/validate.ts";
import { executionDagRunOf } from "./dag-run-wire.ts";
import { assertShared } from "./task-token-auth.ts";

export function triggererRoutes({
  store,
  announcer,
  taskTokens,
  config,
  events,
  clock,
  stopping,
}: ApiContext): RouteTable {
  const lease_seconds = config.leaseSeconds;
  return {
    "/triggerers/:name/claim": {
      async post(request, response) {
        assertShared(config.triggererToken, request);
        const { capacity, wait_seconds } = parseBody(claimTriggersRequest, request);
        const claim = { triggerer: pathPart(request, "name"), capacity, lease_seconds };
        const until = clock.now() + wait_seconds * 1000;
        const over = new AbortController();
        response.once("close", () => over.abort());
        for (;;) {
          const deferral = somethingToRun(events, AbortSignal.any([over.signal, stopping]));
          const found = await store.claimTriggers(claim);
          const room = capacity - found.length;
          const watchers = room > 0 ? await store.claimWatchers({ ...claim, capacity: room }) : [];
          const leftMs = until - clock.now();
          if (found.length + watchers.length > 0 || leftMs <= 0 || over.signal.aborted || stopping.aborted) {
            deferral.forget();
            return {
              triggers: found.map((trigger) => wireOf(trigger, taskTokens)),
              watchers: watchers.map((watcher) => ({ ...watcher, token: taskTokens.signWatcher(watcher) })),
            };
          }
          const waiting = new AbortController();
          // Also looked for now and then: a lease ends without a word.
          await Promise.race([deferral.heard, clock.sleep(Math.min(leftMs, lease_seconds * 500), waiting.signal)]);
          waiting.abort();
          deferral.forget();
        }
      },
    },
    "/triggerers/:name": {
      async put(request) {
        assertShared(config.triggererToken, request);
        const { hostname, unixname, state, held, renew } = parseBody(triggererReport, request);
        const name = pathPart(request, "name");
        await store.reportJob({ name, job_type: "TriggererJob", state, hostname, unixname });
        if (state === "stopped") await store.releaseTriggers(name);
        const kept = state === "stopped" ? [] : await store.keepTriggers(name, held, lease_seconds);
        return { held: kept, tokens: renew.map((token) => renewed(taskTokens, token)) };
      },
    },
    "/triggerers/:name/events": {
      async post(request) {
        assertShared(config.triggererToken, request);
        const { events: told } = parseBody(triggerEventsRequest, request);
        const ends = told.flatMap((event) => (event.sequence === undefined ? [reportOf(event)] : []));
        const watched = told.flatMap(({ sequence, ...event }) =>
          sequence === undefined ? [] : [{ ...reportOf(event), sequence }],
        );
        const accepted: number[] = [];
        for (const report of [
          ends.length > 0 ? () => store.reportTriggers(ends) : null,
          watched.length > 0 ? () => store.reportWatchers(watched) : null,
        ]) {
          if (report === null) continue;
          const outcome = await report();
          announcer.announce(outcome.announcement);
          accepted.push(...outcome.accepted);
        }
        return { accepted };
      },
    },
  };
}

function reportOf(event: TriggerEvent) {
  const { id, fence } = event;
  const end =
    "traceback" in event
      ? { kind: "failure" as const, traceback: event.traceback }
      : { kind: "event" as const, payload: (event.payload ?? null) as JsonValue };
  return { id, fence, end };
}

/** Resolves when some task is deferred, or a DAG that may have watchers is new; or never. */
function somethingToRun(events: EventSource, signal: AbortSignal): { heard: Promise<void>; forget(): void } {
  const { promise, resolve } = Promise.withResolvers<void>();
  const unsubscribe = events.subscribe((heard) => {
    if (
      heard.some(
        (event) =>
          event.type === "resync" ||
          event.type === "dag" ||
          (event.type === "task_instance" && event.state === "deferred"),
      )
    )
      resolve();
  });
  signal.addEventListener("abort", () => resolve(), { once: true });
  return { heard: promise, forget: unsubscribe };
}

function wireOf({ dag_run, ...trigger }: HostedTrigger, tokens: TaskTokens) {
  const { dag_id: _dag, run_id: _run, ...rest } = trigger;
  return { ...rest, dag_run: executionDagRunOf(dag_run), token: tokens.signExecution(trigger) };
}

/** Null where the token is over: the triggerer is to stop what has it. */
function renewed(tokens: TaskTokens, token: string): string | null {
  const verdict = tokens.verify(token);
  return verdict.kind === "valid" ? tokens.signExecution(verdict.token) : null;
}
