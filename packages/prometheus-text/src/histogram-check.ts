/** Whether the buckets, count and sum of a classic histogram fit each other, group by group. */

/** @internal A sample of a histogram as far as these rules look at it. */
export interface HistogramPart {
  readonly group: string;
  readonly time: number | null;
  readonly suffix: string;
  readonly value: number;
  /** Upper bound of a bucket, NaN for other samples. */
  readonly bound: number;
}

interface Group {
  readonly key: string;
  readonly time: number | null;
  lastBound: number | null;
  lastValue: number;
  count: number | null;
  hasSum: boolean;
  hasGaugeSum: boolean;
  hasNegativeBucket: boolean;
  hasNegativeGaugeSum: boolean;
}

/** @internal */
export class HistogramCheck {
  #group: Group | null = null;

  /** What was expected instead of this sample, or null. */
  add(part: HistogramPart): string | null {
    if (this.#group === null || this.#group.key !== part.group || this.#group.time !== part.time) {
      const expected = this.finish();
      if (expected !== null) return expected;
      this.#group = newGroup(part);
    }
    return addToGroup(this.#group, part);
  }

  /** What the last group lacks, or null. */
  finish(): string | null {
    return this.#group === null ? null : checkGroup(this.#group);
  }
}

function newGroup(part: HistogramPart): Group {
  return {
    key: part.group,
    time: part.time,
    lastBound: null,
    lastValue: 0,
    count: null,
    hasSum: false,
    hasGaugeSum: false,
    hasNegativeBucket: false,
    hasNegativeGaugeSum: false,
  };
}

function addToGroup(group: Group, part: HistogramPart): string | null {
  switch (part.suffix) {
    case "_bucket":
      return addBucket(group, part);
    case "_count":
    case "_gcount":
      group.count = part.value;
      return null;
    case "_sum":
      group.hasSum = true;
      return null;
    case "_gsum":
      group.hasGaugeSum = true;
      if (part.value < 0) group.hasNegativeGaugeSum = true;
      return null;
    default:
      return null;
  }
}

function addBucket(group: Group, part: HistogramPart): string | null {
  if (part.bound < 0) group.hasNegativeBucket = true;
  if (group.lastBound !== null && part.bound <= group.lastBound) return "buckets in the order of their bounds";
  if (part.value < group.lastValue) return "bucket values that do not fall";
  group.lastBound = part.bound;
  group.lastValue = part.value;
  return null;
}

function checkGroup(group: Group): string | null {
  const hasAnySum = group.hasSum || group.hasGaugeSum;
  if (group.lastBound !== Number.POSITIVE_INFINITY) return "a bucket with the bound +Inf";
  if (group.count !== null && group.count !== group.lastValue) return "a count equal to the bucket +Inf";
  if (hasAnySum && group.count === null) return "a count beside the sum";
  if (!hasAnySum && group.count !== null) return "a sum beside the count";
  if (group.hasNegativeBucket && group.hasSum) return "no sum beside negative buckets";
  if (!group.hasNegativeBucket && group.hasNegativeGaugeSum) return "a sum that is not negative";
  return null;
}
