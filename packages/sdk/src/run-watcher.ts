/** One watcher of an asset: its trigger, again and again, and each event told before the next one is asked for. */
import type { JsonValue } from "@updraft/dag-core";
import { authorTrace } from "./author-trace.ts";
import { captureOutput, flushOutput } from "./captured-output.ts";
import { jsonRoundTrip } from "./json.ts";
import { eventsOf, requireTrigger } from "./triggers.ts";
import { runInScope, type ScopeFacts, TryScope } from "./try-scope.ts";
import type { Kwargs } from "./wait-signals.ts";

export interface RunWatcherRequest extends Omit<ScopeFacts, "context"> {
  readonly classpath: string;
  readonly kwargs: Kwargs;
  /** Resolves when the event is stored. */
  readonly tell: (payload: JsonValue) => Promise<void>;
}

/** Between two starts of a trigger that ends with its event. */
const SHORTEST_TURN_MS = 1000;

/** Ends by its signal alone, with null, or by a failure, with the lines of its trace. */
export async function runWatcher(request: RunWatcherRequest): Promise<readonly string[] | null> {
  captureOutput();
  const { classpath, kwargs, signal, tell } = request;
  const scope = new TryScope({ ...request, context: null });
  try {
    const run = requireTrigger(classpath);
    await runInScope(scope, async () => {
      while (!signal.aborted) {
        const next = pause(SHORTEST_TURN_MS, signal);
        // The arguments are those that the author gave to the trigger in the file.
        for await (const event of eventsOf(run(kwargs as never, { signal }))) {
          if (signal.aborted) return;
          await tell(event === undefined ? null : jsonRoundTrip(event, "The event of the watcher"));
        }
        await next;
      }
    });
    return null;
  } catch (error) {
    return signal.aborted ? null : authorTrace(error).split("\n");
  } finally {
    flushOutput(scope);
    scope.close();
  }
}

function pause(ms: number, signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    const timer = setTimeout(resolve, ms);
    signal.addEventListener("abort", () => resolve(clearTimeout(timer)), { once: true });
  });
}
