/** What the instances of a mapped task pushed under one key, as a list that is read only as far as somebody looks. */
import type { JsonValue } from "./json.ts";
import type { RawClient, XComListLocator } from "./raw-client.ts";

/** In the order of the map indexes, without the instances that pushed nothing. */
export interface XComSequence<T = JsonValue> extends AsyncIterable<T> {
  /** How many values there are, without reading them. */
  length(): Promise<number>;
  /** The value at a place, from the end where it is negative; undefined where there is none. */
  at(index: number): Promise<T | undefined>;
  /** The values from `start` up to `stop`, which may be negative as in `Array.slice`. */
  slice(start?: number, stop?: number): Promise<T[]>;
}

/** So many values are read at once while somebody walks through them. */
const PAGE = 1000;

export function xcomSequence<T = JsonValue>(client: () => RawClient, locator: XComListLocator): XComSequence<T> {
  // The author names the type of what was pushed; the wire carries any JSON.
  const read = async (start?: number, stop?: number) => (await client().sliceXComs(locator, { start, stop })) as T[];
  return {
    length: async () => client().countXComs(locator),
    at: async (index) => {
      if (!Number.isInteger(index)) throw new TypeError(`The place of a value must be a whole number, not ${index}`);
      // The stop of the last one would be 0, which is the start.
      const [value] = await read(index, index === -1 ? undefined : index + 1);
      return value;
    },
    slice: read,
    async *[Symbol.asyncIterator]() {
      for (let from = 0; ; from += PAGE) {
        const page = await read(from, from + PAGE);
        yield* page;
        if (page.length < PAGE) return;
      }
    },
  };
}
