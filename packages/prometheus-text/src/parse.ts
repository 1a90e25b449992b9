/** The package's one entry for whole expositions. */
import type { Exposition, ExpositionFormat } from "./exposition.ts";
import { parseOpenMetrics } from "./openmetrics-parser.ts";
import { parsePrometheusText } from "./prometheus-parser.ts";

/**
 * Parses an exposition held in memory.
 *
 * @throws ExpositionError for input that breaks the format, and nothing else.
 */
export function parseExposition(bytes: Uint8Array, format: ExpositionFormat): Exposition {
  return format === "openmetrics" ? parseOpenMetrics(bytes) : parsePrometheusText(bytes);
}
