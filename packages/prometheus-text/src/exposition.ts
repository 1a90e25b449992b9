/**
 * The model of an exposition: what one scrape of one target says.
 *
 * Samples point at their metric family, because a HELP line may follow the samples it explains.
 */

/** The two text formats this package reads. */
export type ExpositionFormat = "prometheus" | "openmetrics";

/** A family's type. The 0.0.4 format says `untyped` where OpenMetrics says `unknown`; this package says `unknown`. */
export type MetricType =
  | "counter"
  | "gauge"
  | "histogram"
  | "gaugehistogram"
  | "summary"
  | "info"
  | "stateset"
  | "unknown";

/** One label of a series. An empty value means the same as no label; the parser keeps it as it was written. */
export interface Label {
  readonly name: string;
  readonly value: string;
}

/** What the metadata lines say about all samples of one metric. */
export interface MetricFamily {
  readonly name: string;
  readonly type: MetricType;
  /** Unescaped text of the HELP line, empty without one. */
  readonly help: string;
  /** Only OpenMetrics has units; empty without one. */
  readonly unit: string;
}

/** An example event behind a sample, such as a trace id. OpenMetrics only. */
export interface Exemplar {
  readonly labels: readonly Label[];
  readonly value: number;
  readonly timestampMs: number | null;
}

/** A run of buckets of a native histogram. */
export interface BucketSpan {
  readonly offset: number;
  readonly length: number;
}

/** A histogram written as one value, with exponential buckets. */
export interface NativeHistogram {
  readonly count: number;
  readonly sum: number;
  readonly schema: number;
  readonly zeroThreshold: number;
  readonly zeroCount: number;
  readonly positiveSpans: readonly BucketSpan[];
  readonly negativeSpans: readonly BucketSpan[];
  readonly positiveDeltas: readonly number[];
  readonly negativeDeltas: readonly number[];
}

/** One measured value of one series. */
export interface Sample {
  readonly family: MetricFamily;
  readonly name: string;
  /** In the order of the text, without the metric name. */
  readonly labels: readonly Label[];
  /** `NaN` for a native histogram, which has no single value. */
  readonly value: number;
  /** Whole milliseconds since 1970, or null where the exposition leaves the time to the scraper. */
  readonly timestampMs: number | null;
  readonly exemplar: Exemplar | null;
  readonly histogram: NativeHistogram | null;
}

/** A parsed exposition. */
export interface Exposition {
  /** In the order of the text. */
  readonly samples: readonly Sample[];
  /** In the order of their first mention; a family may have no samples. */
  readonly families: readonly MetricFamily[];
}
