/**
 * The command that a scorer of reference cases runs: an exposition on stdin, one JSON object a sample on stdout, and
 * an exit code other than 0 for input that breaks the format. `--format prom` or `--format openmetrics` picks the parser.
 */
import { readFileSync } from "node:fs";
import { ExpositionError, type Label, parseExposition, type Sample } from "../src/index.ts";

function jsonNumber(value: number): number | string {
  if (Number.isFinite(value)) return value;
  return Number.isNaN(value) ? "NaN" : value > 0 ? "+Inf" : "-Inf";
}

function jsonLabels(labels: readonly Label[]): Record<string, string> {
  return Object.fromEntries(labels.map((label) => [label.name, label.value]));
}

function jsonSample({ family, name, labels, value, timestampMs, exemplar, histogram }: Sample): unknown {
  return {
    name,
    labels: jsonLabels(labels),
    value: histogram === null ? jsonNumber(value) : null,
    timestamp: timestampMs,
    type: family.type,
    help: family.help,
    unit: family.unit,
    exemplar: exemplar && {
      labels: jsonLabels(exemplar.labels),
      value: jsonNumber(exemplar.value),
      timestamp: exemplar.timestampMs,
    },
  };
}

try {
  const format = process.argv.at(-1) === "openmetrics" ? "openmetrics" : "prometheus";
  const { samples } = parseExposition(readFileSync(0), format);
  process.stdout.write(samples.map((sample) => `${JSON.stringify(jsonSample(sample))}\n`).join(""));
} catch (error) {
  if (!(error instanceof ExpositionError)) throw error;
  process.stderr.write(`${error.message}\n`);
  process.exitCode = 1;
}
