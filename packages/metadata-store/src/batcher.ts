/**
 * Calls that arrive together are applied together: while one batch is under way the next one fills.
 */
import { StoreUnavailableError } from "./errors.ts";

interface Waiting<I, O> {
  readonly input: I;
  readonly resolve: (output: O) => void;
  readonly reject: (error: unknown) => void;
}

/**
 * A function of one input over a function of many. `apply` answers in the order of its inputs. Should a batch fail,
 * each of its calls is made alone, so that only the guilty one fails.
 */
export function batched<I, O>(
  maxSize: number,
  apply: (inputs: readonly I[]) => Promise<readonly O[]>,
): (input: I) => Promise<O> {
  let waiting: Waiting<I, O>[] = [];
  let busy = false;

  async function work(): Promise<void> {
    busy = true;
    while (waiting.length > 0) {
      const batch = waiting.slice(0, maxSize);
      waiting = waiting.slice(maxSize);
      await settle(batch, apply);
    }
    busy = false;
  }

  return (input) =>
    new Promise<O>((resolve, reject) => {
      waiting.push({ input, resolve, reject });
      if (!busy) void work();
    });
}

async function settle<I, O>(
  batch: readonly Waiting<I, O>[],
  apply: (inputs: readonly I[]) => Promise<readonly O[]>,
): Promise<void> {
  try {
    const outputs = await apply(batch.map(({ input }) => input));
    batch.forEach(({ resolve }, index) => {
      resolve(outputs[index] as O);
    });
  } catch (error) {
    const alone = batch.length === 1 || error instanceof StoreUnavailableError;
    if (alone) for (const { reject } of batch) reject(error);
    else for (const one of batch) await settle([one], apply);
  }
}
