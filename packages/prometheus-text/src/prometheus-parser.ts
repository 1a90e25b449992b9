/**
 * The Prometheus text format 0.0.4, with quoted UTF-8 names as Prometheus 3 writes them.
 *
 * As strict as the format's reference, Go's expfmt: the last line needs its line feed, a second TYPE or HELP is an
 * error, and so are unknown escapes. A scraper that wants to be lenient about the line feed appends it.
 */
import type { Exposition, Label, MetricType, Sample } from "./exposition.ts";
import { type FamilyDraft, FamilyTable } from "./family-table.ts";
import { overflows, parseInteger, parseNumber } from "./number.ts";
import { byte, Scanner } from "./scanner.ts";

const types: ReadonlyMap<string, MetricType> = new Map([
  ["counter", "counter"],
  ["gauge", "gauge"],
  ["summary", "summary"],
  ["untyped", "unknown"],
  ["histogram", "histogram"],
  ["gauge_histogram", "gaugehistogram"],
  ["gaugehistogram", "gaugehistogram"],
]);

/** A series as its line names it. */
interface Series {
  readonly name: string;
  readonly labels: readonly Label[];
}

/** @internal Parses a whole exposition or throws an ExpositionError. */
export function parsePrometheusText(bytes: Uint8Array): Exposition {
  return new PrometheusParser(bytes).parse();
}

class PrometheusParser {
  readonly #scanner: Scanner;
  readonly #families = new FamilyTable();
  readonly #samples: Sample[] = [];
  /** Offsets of the `le` and `quantile` values of the current line, 0 without one; the family's type says if they matter. */
  #bucketAt = 0;
  #quantileAt = 0;

  constructor(bytes: Uint8Array) {
    this.#scanner = new Scanner(bytes);
  }

  parse(): Exposition {
    const scanner: Scanner = this.#scanner;
    for (;;) {
      scanner.skipBlanks();
      const next = scanner.peek();
      if (next === -1) break;
      if (next === byte.hash) this.#comment();
      else if (next !== byte.lineFeed) this.#sample();
      scanner.expect(byte.lineFeed, "the end of the line");
    }
    return { samples: this.#samples, families: this.#families.all() };
  }

  #comment(): void {
    const scanner: Scanner = this.#scanner;
    scanner.position++;
    scanner.skipBlanks();
    const start = scanner.position;
    scanner.skipToken();
    const keyword = this.#metadataKeyword(start, scanner.position);
    if (keyword === null) scanner.skipLine();
    else this.#metadata(keyword);
  }

  #metadataKeyword(start: number, end: number): "HELP" | "TYPE" | null {
    if (end - start !== 4) return null;
    const word = this.#scanner.bytes;
    if (word[start] === 0x48 && word[start + 1] === 0x45 && word[start + 2] === 0x4c && word[start + 3] === 0x50)
      return "HELP";
    if (word[start] === 0x54 && word[start + 1] === 0x59 && word[start + 2] === 0x50 && word[start + 3] === 0x45)
      return "TYPE";
    return null;
  }

  /** A HELP or TYPE line that ends early says nothing and is no error. */
  #metadata(keyword: "HELP" | "TYPE"): void {
    const scanner: Scanner = this.#scanner;
    scanner.skipBlanks();
    if (scanner.peek() === byte.lineFeed) return;
    const name = this.#metricName();
    if (scanner.peek() === byte.lineFeed) return;
    if (name === "" || (scanner.peek() !== byte.space && scanner.peek() !== byte.tab)) scanner.fail("a metric name");
    const family = this.#families.findOrCreate(name);
    scanner.skipBlanks();
    if (scanner.peek() === byte.lineFeed) return;
    if (keyword === "HELP") this.#help(family);
    else this.#type(family);
  }

  #help(family: FamilyDraft): void {
    const scanner: Scanner = this.#scanner;
    if (family.declaredHelp !== null) scanner.fail(`one HELP line for ${JSON.stringify(family.name)}, not a second`);
    const start = scanner.position;
    scanner.skipLine();
    family.declaredHelp = scanner.unescape(start, scanner.position, "strict");
  }

  #type(family: FamilyDraft): void {
    const scanner: Scanner = this.#scanner;
    const name = JSON.stringify(family.name);
    if (family.declaredType !== null) scanner.fail(`one TYPE line for ${name}, before its samples`);
    const start = scanner.position;
    scanner.skipLine();
    const type = types.get(scanner.text(start, scanner.position).toLowerCase());
    if (type === undefined) scanner.fail(`a metric type (${[...types.keys()].join(", ")})`, start);
    family.declaredType = type;
  }

  #sample(): void {
    const scanner: Scanner = this.#scanner;
    this.#bucketAt = 0;
    this.#quantileAt = 0;
    const series = scanner.peek() === byte.openBrace ? this.#bracedSeries() : this.#plainSeries();
    const family = this.#families.findOrCreate(series.name);
    family.declaredType ??= "unknown";
    this.#checkBounds(family);
    scanner.skipBlanks();
    const value = this.#value(series.name, family);
    const timestampMs = scanner.peek() === byte.lineFeed ? null : this.#timestamp();
    this.#samples.push({ family, ...series, value, timestampMs, exemplar: null, histogram: null });
  }

  #plainSeries(): Series {
    const scanner: Scanner = this.#scanner;
    const name = this.#metricName();
    if (name === "") scanner.fail("a metric name");
    scanner.skipBlanks();
    if (scanner.peek() !== byte.openBrace) return { name, labels: [] };
    const labels: Label[] = [];
    scanner.position++;
    while (!this.#closesLabels()) {
      const bare = this.#label(labels);
      if (bare !== null) scanner.fail(`'="…"' after the label name ${JSON.stringify(bare)}`);
    }
    return { name, labels };
  }

  /** A series whose name stands among its labels, without an equals sign. */
  #bracedSeries(): Series {
    const scanner: Scanner = this.#scanner;
    const labels: Label[] = [];
    let name: string | null = null;
    scanner.position++;
    while (!this.#closesLabels()) {
      const bare = this.#label(labels);
      if (bare === null) continue;
      if (name !== null) scanner.fail("one metric name, not a second");
      if (bare === "") scanner.fail("a metric name");
      name = bare;
    }
    if (name === null) scanner.fail("a metric name among the labels", scanner.position - 1);
    return { name, labels };
  }

  #closesLabels(): boolean {
    const scanner: Scanner = this.#scanner;
    scanner.skipBlanks();
    if (scanner.peek() !== byte.closeBrace) return false;
    scanner.position++;
    return true;
  }

  /** Reads `name="value"` with the comma after it. A name alone is returned; only a braced series may have one. */
  #label(labels: Label[]): string | null {
    const scanner: Scanner = this.#scanner;
    const start = scanner.position;
    const name = scanner.peek() === byte.quote ? scanner.quoted("strict", "a label name") : scanner.labelName();
    if (scanner.position === start || name === "") scanner.fail("a label name", start);
    scanner.skipBlanks();
    if (scanner.peek() !== byte.equals) return this.#bareName(name);
    if (name === "__name__") scanner.fail("another label name than __name__, which is reserved", start);
    for (const label of labels) if (label.name === name) scanner.fail("each label name once", start);
    scanner.position++;
    scanner.skipBlanks();
    if (scanner.peek() !== byte.quote) scanner.fail(`'"' at the start of a label value`);
    const valueAt = scanner.position + 1;
    if (name === "le") this.#bucketAt = valueAt;
    if (name === "quantile") this.#quantileAt = valueAt;
    labels.push({ name, value: scanner.quoted("strict", "a label value") });
    this.#commaOrBrace();
    return null;
  }

  #bareName(name: string): string {
    if (this.#scanner.peek() !== byte.comma && this.#scanner.peek() !== byte.closeBrace) {
      this.#scanner.fail("'=' after the label name");
    }
    this.#commaOrBrace();
    return name;
  }

  #commaOrBrace(): void {
    const scanner: Scanner = this.#scanner;
    scanner.skipBlanks();
    const next = scanner.peek();
    if (next === byte.comma) scanner.position++;
    else if (next !== byte.closeBrace) scanner.fail("',' or '}' after a label");
  }

  /** Bucket bounds and quantiles are numbers written as labels. */
  #checkBounds(family: FamilyDraft): void {
    if (family.type === "summary") this.#checkBound(this.#quantileAt, "quantile");
    else if (family.type === "histogram" || family.type === "gaugehistogram") this.#checkBound(this.#bucketAt, "le");
  }

  #checkBound(start: number, label: string): void {
    if (start === 0) return;
    const { bytes } = this.#scanner;
    const end = bytes.indexOf(byte.quote, start);
    const bound = parseNumber(bytes, start, end);
    if (bound === undefined || overflows(bytes, start, bound))
      this.#scanner.fail(`a number as value of "${label}"`, start);
  }

  #value(name: string, family: FamilyDraft): number {
    const scanner: Scanner = this.#scanner;
    const start = scanner.position;
    scanner.skipToken();
    const value = parseNumber(scanner.bytes, start, scanner.position);
    if (value === undefined || overflows(scanner.bytes, start, value)) scanner.fail("a number as value", start);
    if (value < 0 && isCount(name, family)) scanner.fail("a count that is not negative", start);
    return value;
  }

  #timestamp(): number {
    const scanner: Scanner = this.#scanner;
    scanner.skipBlanks();
    const start = scanner.position;
    scanner.skipToken();
    const timestamp = parseInteger(scanner.bytes, start, scanner.position);
    if (timestamp === undefined) scanner.fail("a timestamp in whole milliseconds", start);
    return timestamp;
  }

  #metricName(): string {
    const scanner: Scanner = this.#scanner;
    return scanner.peek() === byte.quote ? scanner.quoted("strict", "a metric name") : scanner.metricName();
  }
}

/** Counts of observations, which a histogram can't have fewer than none of. */
function isCount(name: string, family: FamilyDraft): boolean {
  if (family.type !== "histogram" && family.type !== "gaugehistogram") return false;
  return name === `${family.name}_bucket` || name === `${family.name}_count`;
}
