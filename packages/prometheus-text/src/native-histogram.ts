/**
 * A native histogram as the experimental OpenMetrics extension writes it: one value in braces, such as
 * `{count:24,sum:100,schema:0,zero_threshold:0.001,zero_count:4,positive_spans:[0:2,1:2],positive_deltas:[2,1,-3,3]}`.
 */
import type { BucketSpan, NativeHistogram } from "./exposition.ts";
import { parseInteger, parseNumber } from "./number.ts";
import { byte, type Scanner } from "./scanner.ts";

const openBracket = 0x5b;
const closeBracket = 0x5d;
const colon = 0x3a;

interface Fields {
  numbers: Map<string, number>;
  spans: Map<string, BucketSpan[]>;
  deltas: Map<string, number[]>;
}

/** @internal Reads the value at the scanner's position, which is at the opening brace. */
export function readNativeHistogram(scanner: Scanner): NativeHistogram {
  const start = scanner.position;
  const fields: Fields = { numbers: new Map(), spans: new Map(), deltas: new Map() };
  do {
    scanner.position++;
    readField(scanner, fields);
  } while (scanner.peek() === byte.comma);
  scanner.expect(byte.closeBrace, "',' or '}' in a native histogram");
  const required = (name: string): number =>
    fields.numbers.get(name) ?? scanner.fail(`the field ${name} of a native histogram`, start);
  return {
    count: required("count"),
    sum: required("sum"),
    schema: required("schema"),
    zeroThreshold: required("zero_threshold"),
    zeroCount: required("zero_count"),
    positiveSpans: fields.spans.get("positive_spans") ?? [],
    negativeSpans: fields.spans.get("negative_spans") ?? [],
    positiveDeltas: fields.deltas.get("positive_deltas") ?? [],
    negativeDeltas: fields.deltas.get("negative_deltas") ?? [],
  };
}

function readField(scanner: Scanner, fields: Fields): void {
  const start = scanner.position;
  const name = scanner.labelName();
  scanner.expect(colon, "':' after the field's name");
  switch (name) {
    case "count":
    case "schema":
    case "zero_count":
      fields.numbers.set(name, readInteger(scanner));
      return;
    case "sum":
    case "zero_threshold":
      fields.numbers.set(name, readNumber(scanner));
      return;
    case "positive_spans":
    case "negative_spans":
      fields.spans.set(name, readList(scanner, readSpan));
      return;
    case "positive_deltas":
    case "negative_deltas":
      fields.deltas.set(name, readList(scanner, readInteger));
      return;
    default:
      scanner.fail("a field of a native histogram", start);
  }
}

function readList<T>(scanner: Scanner, readItem: (scanner: Scanner) => T): T[] {
  const items: T[] = [];
  if (scanner.peek() !== openBracket) scanner.fail("'['");
  do {
    scanner.position++;
    items.push(readItem(scanner));
  } while (scanner.peek() === byte.comma);
  scanner.expect(closeBracket, "',' or ']'");
  return items;
}

function readSpan(scanner: Scanner): BucketSpan {
  const offset = readInteger(scanner);
  scanner.expect(colon, "':' between a span's offset and length");
  return { offset, length: readInteger(scanner) };
}

function readInteger(scanner: Scanner): number {
  const start = scanner.position;
  const end = endOfItem(scanner);
  scanner.position = end;
  return parseInteger(scanner.bytes, start, end) ?? scanner.fail("a whole number", start);
}

function readNumber(scanner: Scanner): number {
  const start = scanner.position;
  const end = endOfItem(scanner);
  scanner.position = end;
  return parseNumber(scanner.bytes, start, end) ?? scanner.fail("a number", start);
}

function endOfItem(scanner: Scanner): number {
  let at = scanner.position;
  while (at < scanner.end) {
    const current = scanner.bytes[at] as number;
    const ends = current === byte.comma || current === byte.closeBrace || current === closeBracket || current === colon;
    if (ends || current === byte.lineFeed) break;
    at++;
  }
  return at;
}
