/** Which parser reads an answer, by its Content-Type header. */
import type { ExpositionFormat } from "./exposition.ts";

const openMetricsVersions: ReadonlySet<string> = new Set(["0.0.1", "1.0.0"]);
const textVersions: ReadonlySet<string> = new Set(["0.0.4", "1.0.0"]);

/**
 * The format a Content-Type names, or null for one this package can't read. As Prometheus 3 does, nothing is guessed:
 * a missing or foreign type is the scraper's to refuse. `text/plain` without a version means 0.0.4.
 */
export function expositionFormatOf(contentType: string): ExpositionFormat | null {
  const [mediaType = "", ...parameters] = contentType.split(";").map((part) => part.trim().toLowerCase());
  const version = parameters.find((parameter) => parameter.startsWith("version="))?.slice("version=".length);
  if (mediaType === "application/openmetrics-text") {
    return version === undefined || openMetricsVersions.has(version) ? "openmetrics" : null;
  }
  if (mediaType === "text/plain") return version === undefined || textVersions.has(version) ? "prometheus" : null;
  return null;
}
