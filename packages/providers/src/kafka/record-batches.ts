/**
 * From the raw batches of a fetch to the messages of a range. Pure.
 *
 * A fetch answers with whole batches: records before the asked offset and beyond the end of the range are in them too,
 * and so are the markers of transactions and the records of those that were aborted.
 */
import type { KafkaMessage, OffsetRange } from "./kafka-client.ts";

/** A record as the client library decodes it. */
interface RawRecord {
  readonly timestampDelta: bigint;
  readonly offsetDelta: number;
  readonly key: Uint8Array | null;
  readonly value: Uint8Array | null;
  readonly headers: readonly (readonly [Uint8Array | null, Uint8Array | null])[];
}

export interface RawBatch {
  readonly firstOffset: bigint;
  readonly lastOffsetDelta: number;
  readonly attributes: number;
  readonly firstTimestamp: bigint;
  readonly producerId: bigint;
  readonly records: readonly RawRecord[];
}

export interface AbortedTransaction {
  readonly producerId: bigint;
  readonly firstOffset: bigint;
}

const isTransactional = 0x10;
const isControl = 0x20;
const decoder = new TextDecoder();

/** The messages of `range` from `position` on, and the offset after the last batch. */
export function messagesOf(
  range: OffsetRange,
  position: bigint,
  fetched: { readonly batches: readonly RawBatch[]; readonly aborted: readonly AbortedTransaction[] },
): { readonly messages: KafkaMessage[]; readonly position: bigint } {
  const messages: KafkaMessage[] = [];
  const aborting = new AbortedProducers(fetched.aborted);
  let next = position;
  for (const batch of fetched.batches) {
    const end = batch.firstOffset + BigInt(batch.lastOffsetDelta) + 1n;
    if (end > next) next = end;
    if (aborting.drops(batch)) continue;
    for (const record of batch.records) {
      const offset = batch.firstOffset + BigInt(record.offsetDelta);
      if (offset >= position && offset < range.to) messages.push(messageOf(range, batch, record));
    }
  }
  return { messages, position: lesser(next, range.to) };
}

function lesser(a: bigint, b: bigint): bigint {
  return a > b ? b : a;
}

/** Follows which producers are inside an aborted transaction, from batch to batch. */
class AbortedProducers {
  readonly #waiting: AbortedTransaction[];
  readonly #inside = new Set<bigint>();

  constructor(aborted: readonly AbortedTransaction[]) {
    this.#waiting = aborted.toSorted((a, b) => (a.firstOffset < b.firstOffset ? -1 : 1));
  }

  drops(batch: RawBatch): boolean {
    const end = batch.firstOffset + BigInt(batch.lastOffsetDelta);
    for (let next = this.#waiting[0]; next !== undefined && next.firstOffset <= end; next = this.#waiting[0]) {
      this.#inside.add(next.producerId);
      this.#waiting.shift();
    }
    if ((batch.attributes & isControl) !== 0) {
      this.#inside.delete(batch.producerId);
      return true;
    }
    return (batch.attributes & isTransactional) !== 0 && this.#inside.has(batch.producerId);
  }
}

function messageOf({ topic, partition }: OffsetRange, batch: RawBatch, record: RawRecord): KafkaMessage {
  return {
    topic,
    partition,
    offset: batch.firstOffset + BigInt(record.offsetDelta),
    timestampMs: Number(batch.firstTimestamp + record.timestampDelta),
    key: record.key === null ? null : decoder.decode(record.key),
    headers: Object.fromEntries(
      record.headers.map(([name, value]) => [
        decoder.decode(name ?? new Uint8Array()),
        decoder.decode(value ?? new Uint8Array()),
      ]),
    ),
    value: record.value,
  };
}
