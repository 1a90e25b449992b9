/** Prometheus text format 0.0.4 and OpenMetrics 1.0: bytes in, samples and metadata out. Pure; imports nothing. */
export { expositionFormatOf } from "./content-type.ts";
export type {
  BucketSpan,
  Exemplar,
  Exposition,
  ExpositionFormat,
  Label,
  MetricFamily,
  MetricType,
  NativeHistogram,
  Sample,
} from "./exposition.ts";
export { ExpositionError } from "./exposition-error.ts";
export { parseExposition } from "./parse.ts";
export { canonicalSeriesBytes, compareByCodePoint } from "./series.ts";
