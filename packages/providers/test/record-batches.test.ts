/** What of a fetch belongs to a range: whole batches come, markers and aborted records among them. */
import { describe, expect, it } from "vitest";
import { messagesOf, type RawBatch } from "../src/kafka/record-batches.ts";

const transactional = 0x10;
const control = 0x20;

function batch(firstOffset: number, deltas: readonly number[], attributes = 0, producerId = 1n): RawBatch {
  const record = { timestampDelta: 5n, key: null, value: new Uint8Array([1]), headers: [] };
  return {
    firstOffset: BigInt(firstOffset),
    lastOffsetDelta: deltas.at(-1) ?? 0,
    attributes,
    firstTimestamp: 1000n,
    producerId,
    records: deltas.map((offsetDelta) => ({ ...record, offsetDelta })),
  };
}

function read(
  from: number,
  to: number,
  batches: RawBatch[],
  aborted: { producerId: bigint; firstOffset: bigint }[] = [],
) {
  const range = { topic: "t", partition: 0, from: BigInt(from), to: BigInt(to) };
  const { messages, position } = messagesOf(range, range.from, { batches, aborted });
  return { offsets: messages.map((message) => Number(message.offset)), position: Number(position) };
}

describe("messagesOf", () => {
  it.each([
    ["nothing came", read(3, 9, []), { offsets: [], position: 3 }],
    ["a batch that began before", read(3, 9, [batch(2, [0, 1, 2])]), { offsets: [3, 4], position: 5 }],
    ["a batch that ends behind the range", read(3, 5, [batch(3, [0, 1, 2, 3])]), { offsets: [3, 4], position: 5 }],
    ["a compacted batch", read(0, 9, [batch(0, [1, 4])]), { offsets: [1, 4], position: 5 }],
    ["only a marker is left", read(4, 5, [batch(4, [0], transactional | control)]), { offsets: [], position: 5 }],
    [
      "an aborted transaction between others",
      read(
        0,
        9,
        [
          batch(0, [0, 1]),
          batch(2, [0, 1], transactional, 7n),
          batch(4, [0], transactional, 8n),
          batch(5, [0], transactional | control, 7n),
          batch(6, [0], transactional, 7n),
          batch(7, [0], transactional | control, 7n),
          batch(8, [0], transactional | control, 8n),
        ],
        [{ producerId: 7n, firstOffset: 2n }],
      ),
      { offsets: [0, 1, 4, 6], position: 9 },
    ],
  ])("%s", (_, found, expected) => {
    expect(found).toEqual(expected);
  });
});
