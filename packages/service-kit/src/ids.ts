/**
 * Identity and randomness as a port.
 */
import { randomFillSync } from "node:crypto";

export interface Ids {
  /** A UUID of version 7: ids made later sort later, also within one millisecond of one process. */
  uuid(): string;
  /** In [0, 1). */
  random(): number;
}

const SEQUENCE_LIMIT = 0x1000;
/** Random bytes are drawn for many ids at once: a draw of its own costs ten times the rest. */
const POOL_IDS = 256;

/** The machine's randomness. */
export const systemIds: Ids = Object.freeze({ uuid: createUuidV7(() => Date.now()), random: () => Math.random() });

/** A generator of version 7 UUIDs. @internal */
export function createUuidV7(now: () => number): () => string {
  const pool = Buffer.alloc(8 * POOL_IDS);
  let used = POOL_IDS;
  let lastMs = 0;
  let sequence = 0;

  return () => {
    if (used === POOL_IDS) {
      randomFillSync(pool);
      used = 0;
    }
    const tail = pool.subarray(used * 8, used * 8 + 8);
    used += 1;

    const ms = now();
    sequence = ms > lastMs ? 0 : sequence + 1;
    if (ms > lastMs) lastMs = ms;
    // More ids than the sequence holds in one millisecond, or a clock set back: go on in the next one's name.
    if (sequence === SEQUENCE_LIMIT) {
      lastMs += 1;
      sequence = 0;
    }
    const time = lastMs.toString(16).padStart(12, "0");
    const order = sequence.toString(16).padStart(3, "0");
    const random = tail.toString("hex");
    const variant = (0x8 | ((tail[0] ?? 0) & 0x3)).toString(16);
    return `${time.slice(0, 8)}-${time.slice(8)}-7${order}-${variant}${random.slice(1, 4)}-${random.slice(4)}`;
  };
}
