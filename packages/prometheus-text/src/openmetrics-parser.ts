/**
 * OpenMetrics text 1.0, with quoted UTF-8 names.
 *
 * This file knows the lines; what the lines of one family may say together is in openmetrics-family.ts. Labels may have
 * blanks around them, which the standard's own grammar lacks and its reference parser takes. Blanks elsewhere are exact.
 */
import type { Exemplar, Exposition, Label, MetricType, NativeHistogram, Sample } from "./exposition.ts";
import { readNativeHistogram } from "./native-histogram.ts";
import { parseNumber } from "./number.ts";
import { OpenMetricsFamily } from "./openmetrics-family.ts";
import { byte, Scanner } from "./scanner.ts";

const types: ReadonlySet<string> = new Set<MetricType>([
  "counter",
  "gauge",
  "histogram",
  "gaugehistogram",
  "summary",
  "info",
  "stateset",
  "unknown",
]);

/** The standard's limit for the names and values of an exemplar's labels, in characters. */
const maxExemplarCharacters = 128;

interface Series {
  readonly name: string;
  readonly labels: readonly Label[];
}

/** @internal Parses a whole exposition or throws an ExpositionError. */
export function parseOpenMetrics(bytes: Uint8Array): Exposition {
  return new OpenMetricsParser(bytes).parse();
}

class OpenMetricsParser {
  readonly #scanner: Scanner;
  readonly #samples: Sample[] = [];
  readonly #families: OpenMetricsFamily[] = [];
  /** Names taken by finished families, with all their suffixes. */
  readonly #takenNames = new Set<string>();
  #family: OpenMetricsFamily | null = null;

  constructor(bytes: Uint8Array) {
    this.#scanner = new Scanner(bytes);
  }

  parse(): Exposition {
    const scanner: Scanner = this.#scanner;
    scanner.checkUtf8(0, scanner.end);
    for (;;) {
      const start = scanner.position;
      if (scanner.peek() === byte.hash) {
        if (this.#metadataOrEnd(start)) break;
      } else {
        this.#sample(start);
      }
      scanner.expect(byte.lineFeed, "the end of the line");
    }
    this.#finishFamily();
    return { samples: this.#samples, families: this.#families };
  }

  /** Reads a line that starts with `#`; true if it was the last one. */
  #metadataOrEnd(start: number): boolean {
    const scanner: Scanner = this.#scanner;
    scanner.position++;
    scanner.expect(byte.space, "' ' after '#'");
    const keywordAt = scanner.position;
    scanner.skipToken();
    const keyword = scanner.text(keywordAt, scanner.position);
    if (keyword === "EOF") return this.#end();
    if (keyword !== "HELP" && keyword !== "TYPE" && keyword !== "UNIT")
      scanner.fail("HELP, TYPE, UNIT or EOF", keywordAt);
    scanner.expect(byte.space, `' ' after ${keyword}`);
    const name = this.#metricName();
    scanner.expect(byte.space, "' ' after the metric name");
    const textAt = scanner.position;
    scanner.skipLine();
    this.#describe(this.#familyFor(name, start), keyword, textAt);
    return false;
  }

  /** `# EOF` ends the exposition; one line feed may follow and nothing else. */
  #end(): true {
    const scanner: Scanner = this.#scanner;
    if (scanner.peek() === byte.lineFeed) scanner.position++;
    if (scanner.position < scanner.end) scanner.fail("nothing after # EOF");
    return true;
  }

  #familyFor(name: string, start: number): OpenMetricsFamily {
    const current = this.#family;
    if (current?.name !== name) return this.#openFamily(name, start);
    if (current.hasSamples) this.#scanner.fail("the metadata of a metric before its samples", start);
    return current;
  }

  #openFamily(name: string, start: number): OpenMetricsFamily {
    this.#finishFamily();
    const family = new OpenMetricsFamily(name, start);
    this.#family = family;
    this.#families.push(family);
    return family;
  }

  #finishFamily(): void {
    const family = this.#family;
    if (family === null) return;
    const expected = family.finish(this.#takenNames);
    if (expected !== null) this.#scanner.fail(expected, family.startsAt);
  }

  #describe(family: OpenMetricsFamily, keyword: "HELP" | "TYPE" | "UNIT", textAt: number): void {
    const scanner: Scanner = this.#scanner;
    if (!family.describeOnce(keyword)) scanner.fail(`one ${keyword} line for each metric, not a second`, textAt);
    const end = scanner.position;
    if (keyword === "HELP") {
      family.help = scanner.unescape(textAt, end, "verbatim");
      return;
    }
    const text = scanner.text(textAt, end);
    if (keyword === "UNIT") {
      family.unit = text;
      return;
    }
    if (!types.has(text)) scanner.fail(`a metric type (${[...types].join(", ")})`, textAt);
    family.type = text as MetricType;
  }

  #sample(start: number): void {
    const scanner: Scanner = this.#scanner;
    const series = this.#series();
    scanner.expect(byte.space, "' ' before the value");
    const histogram = this.#histogramValue();
    const value = histogram === null ? this.#number("a number as value") : Number.NaN;
    const time = histogram === null ? this.#timestamp() : null;
    const exemplar = histogram === null ? this.#exemplar() : null;
    const family = this.#familyOf(series.name, start, histogram !== null);
    const sample: Sample = { family, ...series, value, timestampMs: toMs(time), exemplar, histogram };
    const verdict = family.add(sample, time);
    if (typeof verdict === "string") scanner.fail(verdict, start);
    if (verdict) this.#samples.push(sample);
  }

  /** A name that no metadata announced opens a family of its own, of unknown type. */
  #familyOf(name: string, start: number, native: boolean): OpenMetricsFamily {
    const current = this.#family;
    if (current !== null && (native ? current.name === name : current.allows(name))) return current;
    const family = this.#openFamily(name, start);
    family.type = "unknown";
    return family;
  }

  #series(): Series {
    const scanner: Scanner = this.#scanner;
    const name = scanner.metricName();
    if (scanner.peek() !== byte.openBrace) {
      if (name === "") scanner.fail("a metric name");
      return { name, labels: [] };
    }
    const bracesAt = scanner.position;
    const { labels, quotedName } = this.#labels();
    if (name !== "" && quotedName !== null) scanner.fail("one metric name, not a second", bracesAt);
    const series = { name: name === "" ? quotedName : name, labels };
    if (series.name === null) scanner.fail("a metric name", bracesAt);
    return series as Series;
  }

  #labels(): { labels: Label[]; quotedName: string | null } {
    const scanner: Scanner = this.#scanner;
    const labels: Label[] = [];
    let quotedName: string | null = null;
    scanner.position++;
    scanner.skipBlanks();
    while (scanner.peek() !== byte.closeBrace) {
      const start = scanner.position;
      const bare = this.#label(labels);
      if (bare !== null && quotedName !== null) scanner.fail("one metric name, not a second", start);
      quotedName ??= bare;
      if (!this.#anotherLabel()) break;
    }
    scanner.expect(byte.closeBrace, "'}'");
    return { labels, quotedName };
  }

  /** Takes the comma between two labels. OpenMetrics has none after the last. */
  #anotherLabel(): boolean {
    const scanner: Scanner = this.#scanner;
    scanner.skipBlanks();
    if (scanner.peek() !== byte.comma) return false;
    scanner.position++;
    scanner.skipBlanks();
    if (scanner.peek() === byte.closeBrace) scanner.fail("a label after ','");
    return true;
  }

  /** Reads one label, or a quoted metric name, which is returned. */
  #label(labels: Label[]): string | null {
    const scanner: Scanner = this.#scanner;
    const start = scanner.position;
    const isQuoted = scanner.peek() === byte.quote;
    const name = isQuoted ? scanner.quoted("verbatim", "a name") : scanner.labelName();
    if (name === "") scanner.fail("a label name", start);
    scanner.skipBlanks();
    if (isQuoted && (scanner.peek() === byte.comma || scanner.peek() === byte.closeBrace)) return name;
    scanner.expect(byte.equals, "'=' after the label name");
    if (name.startsWith("__")) scanner.fail("a label name that does not start with __, which is reserved", start);
    for (const label of labels) if (label.name === name) scanner.fail("each label name once", start);
    scanner.skipBlanks();
    if (scanner.peek() !== byte.quote) scanner.fail(`'"' at the start of a label value`);
    labels.push({ name, value: scanner.quoted("verbatim", "a label value") });
    return null;
  }

  #histogramValue(): NativeHistogram | null {
    if (this.#scanner.peek() !== byte.openBrace || this.#family?.type !== "histogram") return null;
    return readNativeHistogram(this.#scanner);
  }

  #number(expected: string): number {
    const scanner: Scanner = this.#scanner;
    const start = scanner.position;
    scanner.skipToken();
    const value = parseNumber(scanner.bytes, start, scanner.position);
    if (value === undefined) scanner.fail(expected, start);
    return value;
  }

  /** Seconds, or null where an exemplar or the end of the line follows. */
  #timestamp(): number | null {
    const scanner: Scanner = this.#scanner;
    if (scanner.peek() !== byte.space || scanner.bytes[scanner.position + 1] === byte.hash) return null;
    scanner.position++;
    return this.#seconds();
  }

  #seconds(): number {
    const start = this.#scanner.position;
    const seconds = this.#number("a timestamp in seconds");
    if (!Number.isFinite(seconds)) this.#scanner.fail("a finite timestamp", start);
    return seconds;
  }

  #exemplar(): Exemplar | null {
    const scanner: Scanner = this.#scanner;
    if (scanner.peek() !== byte.space) return null;
    scanner.position++;
    scanner.expect(byte.hash, "'#' before an exemplar");
    scanner.expect(byte.space, "' ' after '#'");
    const start = scanner.position;
    if (scanner.peek() !== byte.openBrace) scanner.fail("'{' of the exemplar's labels");
    const { labels, quotedName } = this.#labels();
    if (quotedName !== null) scanner.fail("labels without a metric name", start);
    if (characters(labels) > maxExemplarCharacters) scanner.fail("at most 128 characters of exemplar labels", start);
    scanner.expect(byte.space, "' ' before the exemplar's value");
    const value = this.#number("a number as the exemplar's value");
    if (scanner.peek() !== byte.space) return { labels, value, timestampMs: null };
    scanner.position++;
    return { labels, value, timestampMs: toMs(this.#seconds()) };
  }

  #metricName(): string {
    const scanner: Scanner = this.#scanner;
    const start = scanner.position;
    const name = scanner.peek() === byte.quote ? scanner.quoted("verbatim", "a metric name") : scanner.metricName();
    if (name === "") scanner.fail("a metric name", start);
    return name;
  }
}

function characters(labels: readonly Label[]): number {
  let count = 0;
  for (const { name, value } of labels) for (const _ of name + value) count++;
  return count;
}

/** Whole milliseconds, cut as Prometheus cuts them. The tiny addend undoes what binary fractions lose of a decimal. */
function toMs(seconds: number | null): number | null {
  return seconds === null ? null : Math.floor(seconds * 1000 + 1e-4);
}
