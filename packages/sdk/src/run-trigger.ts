/** One trigger: from its arguments to its event. Nothing it does makes this reject. */
import type { JsonValue } from "@updraft/dag-core";
import { authorTrace } from "./author-trace.ts";
import { captureOutput, flushOutput } from "./captured-output.ts";
import { jsonRoundTrip } from "./json.ts";
import { triggerFunction } from "./triggers.ts";
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
    const run = triggerFunction(classpath);
    if (run === undefined)
      throw new Error(`There is no trigger ${classpath} in the file of the task that waits for it`);
    // The arguments are those that the author gave when the task deferred.
    const payload = await runInScope(scope, () => run(kwargs as never, { signal }));
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
