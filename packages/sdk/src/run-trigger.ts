/** One trigger: from its arguments to its event. Nothing it does makes this reject. */
import type { JsonValue } from "@updraft/dag-core";
import { authorTrace } from "./author-trace.ts";
import { captureOutput, flushOutput } from "./captured-output.ts";
import { jsonRoundTrip } from "./json.ts";
import { eventsOf, requireTrigger, type TriggerFunction } from "./triggers.ts";
import { runInScope, type TryFacts, TryScope } from "./try-scope.ts";
import type { Kwargs } from "./wait-signals.ts";

export interface RunTriggerRequest extends TryFacts {
  readonly classpath: string;
  readonly kwargs: Kwargs;
}

export type TriggerOutcome =
  | { readonly kind: "event"; readonly payload: JsonValue }
  | { readonly kind: "failure"; readonly traceback: readonly string[] };

export async function runTrigger(request: RunTriggerRequest): Promise<TriggerOutcome> {
  captureOutput();
  const { classpath, kwargs, signal } = request;
  const scope = new TryScope(request);
  try {
    const run = requireTrigger(classpath);
    // The arguments are those that the author gave when the task deferred.
    const payload = await runInScope(scope, () => firstEvent(run(kwargs as never, { signal })));
    return {
      kind: "event",
      payload: payload === undefined ? null : jsonRoundTrip(payload, "The event of the trigger"),
    };
  } catch (error) {
    return { kind: "failure", traceback: authorTrace(error).split("\n") };
  } finally {
    flushOutput(scope);
    scope.close();
  }
}

async function firstEvent(called: ReturnType<TriggerFunction>): Promise<unknown> {
  for await (const event of eventsOf(called)) return event;
  throw new Error("The trigger ended without an event");
}
