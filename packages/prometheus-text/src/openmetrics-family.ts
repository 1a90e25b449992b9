/**
 * What the lines of one OpenMetrics family may say together.
 *
 * Every rule answers what was expected, or null; the parser knows the position and throws. The rules are those of the
 * standard's own bad examples: which suffixes belong to which type, groups that stay together, time that doesn't run
 * backwards, and values that counters, quantiles, states and infos can have.
 */
import type { MetricFamily, MetricType, Sample } from "./exposition.ts";
import { HistogramCheck } from "./histogram-check.ts";
import { parseNumber } from "./number.ts";
import { encodeUtf8 } from "./utf8.ts";

const suffixes: Readonly<Record<MetricType, readonly string[]>> = {
  counter: ["_total", "_created"],
  summary: ["", "_count", "_sum", "_created"],
  histogram: ["_count", "_sum", "_bucket", "_created"],
  gaugehistogram: ["_gcount", "_gsum", "_bucket"],
  info: ["_info"],
  gauge: [""],
  stateset: [""],
  unknown: [""],
};

const neverNaN: ReadonlySet<string> = new Set(["_total", "_sum", "_count", "_bucket", "_gcount", "_gsum"]);
const neverNegative: ReadonlySet<string> = new Set(["_total", "_sum", "_count", "_bucket", "_gcount"]);
const wholeNumbers: ReadonlySet<string> = new Set(["_bucket", "_count", "_gcount"]);

/** @internal One family, from its first line to the first line of the next. */
export class OpenMetricsFamily implements MetricFamily {
  readonly name: string;
  /** Offset of the family's first line. */
  readonly startsAt: number;
  type: MetricType = "unknown";
  help = "";
  unit = "";
  hasSamples = false;
  readonly #described = new Set<string>();
  readonly #histogram = new HistogramCheck();
  readonly #finishedGroups = new Set<string>();
  /** Series seen in the current group, to drop repetitions that only truncated timestamps make. */
  readonly #seriesOfGroup = new Set<string>();
  #group: string | null = null;
  #groupTime: number | null = null;

  constructor(name: string, startsAt: number) {
    this.name = name;
    this.startsAt = startsAt;
  }

  /** False if such a line was there before. */
  describeOnce(keyword: string): boolean {
    if (this.#described.has(keyword)) return false;
    this.#described.add(keyword);
    return true;
  }

  /** Whether a sample of this name belongs here. */
  allows(name: string): boolean {
    return name.startsWith(this.name) && suffixes[this.type].includes(name.slice(this.name.length));
  }

  /** True if the sample counts, false if it repeats one of the same time, or what was expected instead. */
  add(sample: Sample, time: number | null): boolean | string {
    this.hasSamples = true;
    if (sample.histogram !== null) return true;
    const suffix = sample.name.slice(this.name.length);
    const expected =
      this.#checkLabels(sample, suffix) ?? this.#checkValue(sample, suffix) ?? this.#checkExemplar(sample, suffix);
    return expected ?? this.#addToGroup(sample, suffix, time);
  }

  /** Checks the family as a whole and takes its names. */
  finish(takenNames: Set<string>): string | null {
    for (const suffix of new Set(["", ...suffixes[this.type]])) {
      if (takenNames.has(this.name + suffix))
        return `a metric name that does not clash with ${JSON.stringify(this.name + suffix)}`;
      takenNames.add(this.name + suffix);
    }
    if (this.unit !== "" && !this.name.endsWith(`_${this.unit}`))
      return `a metric name that ends in its unit, "_${this.unit}"`;
    if (this.unit !== "" && (this.type === "info" || this.type === "stateset"))
      return `no unit for a metric of type ${this.type}`;
    return this.#isHistogram() ? this.#histogram.finish() : null;
  }

  #isHistogram(): boolean {
    return this.type === "histogram" || this.type === "gaugehistogram";
  }

  #checkLabels(sample: Sample, suffix: string): string | null {
    if (this.type === "stateset" && labelValue(sample, this.name) === null)
      return `the label "${this.name}" of a stateset`;
    if (suffix === "_bucket" && !isCanonicalNumber(labelValue(sample, "le")))
      return 'a label "le" with a number or +Inf';
    if (this.type === "summary" && suffix === "") {
      const quantile = labelValue(sample, "quantile");
      const number = quantile === null ? undefined : numberOf(quantile);
      if (number === undefined || !(number >= 0 && number <= 1)) return 'a label "quantile" between 0 and 1';
    }
    return null;
  }

  #checkValue(sample: Sample, suffix: string): string | null {
    const { value } = sample;
    if (wholeNumbers.has(suffix) && !Number.isInteger(value)) return "a whole number as count";
    if (neverNaN.has(suffix) && Number.isNaN(value)) return "another value than NaN for a counter";
    if (neverNegative.has(suffix) && value < 0) return "a counter that is not negative";
    if (this.type === "stateset" && value !== 0 && value !== 1) return "0 or 1 as value of a stateset";
    if (this.type === "info" && value !== 1) return "1 as value of an info";
    if (this.type === "summary" && suffix === "" && value < 0) return "a quantile value that is not negative";
    return null;
  }

  #checkExemplar(sample: Sample, suffix: string): string | null {
    if (sample.exemplar === null) return null;
    if (suffix === "_bucket" && this.#isHistogram()) return null;
    if (suffix === "_total" && this.type === "counter") return null;
    return "exemplars only on buckets and counters";
  }

  #addToGroup(sample: Sample, suffix: string, time: number | null): boolean | string {
    const group = this.#groupOf(sample, suffix);
    if (group === this.#group) {
      const expected = this.#checkTime(time);
      if (expected !== null) return expected;
    } else {
      if (this.#finishedGroups.has(group)) return "the samples of a group together";
      this.#finishedGroups.add(group);
      this.#seriesOfGroup.clear();
    }
    const isRepetition =
      group === this.#group && time === this.#groupTime && this.#seriesOfGroup.has(seriesKey(sample));
    this.#group = group;
    this.#groupTime = time;
    if (isRepetition) return false;
    this.#seriesOfGroup.add(seriesKey(sample));
    if (!this.#isHistogram() || suffix === "") return true;
    return this.#histogram.add({ group, time, suffix, value: sample.value, bound: boundOf(sample, suffix) }) ?? true;
  }

  #checkTime(time: number | null): string | null {
    if ((time === null) !== (this.#groupTime === null)) return "a timestamp on all samples of a group or on none";
    if (time === null || this.#groupTime === null || this.type === "info") return null;
    return time < this.#groupTime ? "timestamps that do not run backwards" : null;
  }

  /** Samples that describe one thing share all labels but the one that tells them apart. */
  #groupOf(sample: Sample, suffix: string): string {
    if (this.type === "info") return "";
    if (this.type === "summary" && suffix === "") return labelsKey(sample, "quantile");
    if (this.type === "stateset") return labelsKey(sample, this.name);
    return labelsKey(sample, this.#isHistogram() && suffix === "_bucket" ? "le" : null);
  }
}

function labelValue(sample: Sample, name: string): string | null {
  return sample.labels.find((label) => label.name === name)?.value ?? null;
}

function numberOf(text: string): number | undefined {
  const bytes = encodeUtf8(text);
  return parseNumber(bytes, 0, bytes.length);
}

function boundOf(sample: Sample, suffix: string): number {
  return suffix === "_bucket" ? (numberOf(labelValue(sample, "le") ?? "") ?? Number.NaN) : Number.NaN;
}

/** Infinity is spelt +Inf and nothing else, as bucket bounds are compared as text. */
function isCanonicalNumber(text: string | null): boolean {
  const number = text === null ? undefined : numberOf(text);
  if (number === undefined || Number.isNaN(number)) return false;
  return number !== Number.POSITIVE_INFINITY || text === "+Inf";
}

function seriesKey(sample: Sample): string {
  return `${sample.name}\n${labelsKey(sample, null)}`;
}

function labelsKey(sample: Sample, without: string | null): string {
  return sample.labels
    .filter((label) => label.name !== without)
    .map((label) => `${label.name.length}:${label.name}${label.value.length}:${label.value}`)
    .sort()
    .join("");
}
