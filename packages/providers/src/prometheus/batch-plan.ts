/**
 * Which records a try reads. Pure.
 *
 *   nothing frozen ──plan──▶ frozen [from, to) ──read, write──▶ done ──compare and set──▶ committed = to
 *
 * A range is frozen before it is read, so a retry reads the same records and writes the same rows. The committed offset
 * moves only from where the range began, so a record is never passed over, whoever else was at work in between.
 */
import type { OffsetRange, PartitionOffsets } from "../kafka/index.ts";

/** Where reading goes on, and what was lost on the way there. */
export interface Position {
  readonly position: bigint;
  /** Records that retention deleted before they were read, or the offsets of a topic that was made anew. */
  readonly gap: { readonly from: bigint; readonly to: bigint; readonly reason: string } | null;
}

/** The position to read from, given the committed one; null at the first time. */
export function positionOf(committed: bigint | null, { earliest, latest }: PartitionOffsets): Position {
  if (committed === null) return { position: earliest, gap: null };
  if (committed < earliest)
    return { position: earliest, gap: { from: committed, to: earliest, reason: "retention deleted the records" } };
  if (committed > latest)
    return {
      position: earliest,
      gap: { from: committed, to: latest, reason: "the topic ends before the committed offset; it was made anew" },
    };
  return { position: committed, gap: null };
}

/** The range to freeze, at most `maxRecords` long; null where nothing is new. */
export function rangeToFreeze(position: bigint, offsets: PartitionOffsets, maxRecords: number): OffsetRange | null {
  const { topic, partition, latest } = offsets;
  if (latest <= position) return null;
  const bound = position + BigInt(maxRecords);
  return { topic, partition, from: position, to: latest < bound ? latest : bound };
}

export type RangeDecision =
  /** Read this, and commit from its `from`. */
  | { readonly kind: "read"; readonly range: OffsetRange }
  /** Another run has stored these records. */
  | { readonly kind: "covered" }
  /** The committed offset was moved back by hand or is lost. */
  | { readonly kind: "behind" };

/** What is left of a frozen range, given the committed offset. */
export function decideRange(frozen: OffsetRange, committed: bigint): RangeDecision {
  if (committed >= frozen.to) return { kind: "covered" };
  if (committed < frozen.from) return { kind: "behind" };
  return { kind: "read", range: { ...frozen, from: committed } };
}
