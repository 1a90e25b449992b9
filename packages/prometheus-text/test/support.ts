/** Text in, plain facts out: what the tables of these tests compare. */
import { ExpositionError, type ExpositionFormat, parseExposition, type Sample } from "../src/index.ts";

export function parseText(text: string, format: ExpositionFormat = "prometheus"): readonly Sample[] {
  return parseExposition(new TextEncoder().encode(text), format).samples;
}

/** `name{a="x"} value @timestamp`, with the labels in the order of the text. */
export function written(sample: Sample): string {
  const labels = sample.labels.map((label) => `${label.name}=${JSON.stringify(label.value)}`).join(",");
  const time = sample.timestampMs === null ? "" : ` @${sample.timestampMs}`;
  const value = Object.is(sample.value, -0) ? "-0" : String(sample.value);
  return `${sample.name}{${labels}} ${value}${time}`;
}

/** The message of the refusal, or "accepted". */
export function refusalOf(bytes: string | Uint8Array, format: ExpositionFormat = "prometheus"): string {
  try {
    parseExposition(typeof bytes === "string" ? new TextEncoder().encode(bytes) : bytes, format);
    return "accepted";
  } catch (error) {
    if (error instanceof ExpositionError) return error.message;
    throw error;
  }
}
