/** Instants as people and run ids write them: ISO 8601 in UTC with `+00:00`, microseconds only when there are any. */
import type { Instant } from "./model.ts";

/** `2026-03-01T06:05:04+00:00`, or with `.123000` before the offset. */
export function isoText(instant: Instant): string {
  const text = new Date(instant).toISOString();
  const milliseconds = text.slice(20, 23);
  return `${text.slice(0, 19)}${milliseconds === "000" ? "" : `.${milliseconds}000`}+00:00`;
}
