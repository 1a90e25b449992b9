/** Who runs a try just now. A try whose worker may still be at it must not run anywhere else. */
import type { ClaimedTry } from "@updraft/metadata-store";
import type { Violate } from "./invariants.ts";
import type { SimProcess } from "./process.ts";

interface Holding {
  readonly tiId: string;
  readonly tryNumber: number;
  readonly process: SimProcess;
  readonly leaseUntil: () => number;
}

export class Holds {
  readonly #held = new Set<Holding>();
  readonly #violate: Violate;
  readonly #isTouched: (claimed: ClaimedTry) => boolean;

  constructor(violate: Violate, isTouched: (claimed: ClaimedTry) => boolean) {
    this.#violate = violate;
    this.#isTouched = isTouched;
  }

  begin(claimed: ClaimedTry, process: SimProcess, leaseUntil: () => number): Holding {
    for (const other of this.#held) {
      if (other.tiId !== claimed.ti_id || !isAtIt(other)) continue;
      // Who clears or marks a running task accepts that its process learns of it by its next heartbeat.
      if (other.tryNumber !== claimed.try_number && this.#isTouched(claimed)) continue;
      const who = `${claimed.dag_id}/${claimed.run_id}/${claimed.task_id} try ${claimed.try_number}`;
      this.#violate(
        "no try runs twice",
        `${who} on ${process.name}, while ${other.process.name} runs try ${other.tryNumber}`,
      );
    }
    const holding = { tiId: claimed.ti_id, tryNumber: claimed.try_number, process, leaseUntil };
    this.#held.add(holding);
    return holding;
  }

  end(holding: Holding): void {
    this.#held.delete(holding);
  }
}

/** A process that is dead or whose lease is over runs nothing: its task processes end with either. */
function isAtIt({ process, leaseUntil }: Holding): boolean {
  return process.isAlive && process.clock.now() < leaseUntil();
}
