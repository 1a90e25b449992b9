/**
 * The canonical form of a series: the one text of bytes that names it, whoever writes it down.
 *
 * Form: metric name, then the labels sorted by code point of their names, each as name and value; every string as its
 * length in UTF-8 bytes (4 bytes, big-endian) and those bytes. A label with an empty value is no label and is left out.
 * `job` and `instance` are labels like any other. A series id is the first 16 bytes of the SHA-256 over this form; the
 * hash is the caller's, as this package imports nothing. The Spark form of the pipeline writes the same ids.
 */
import type { Label } from "./exposition.ts";
import { encodeUtf8 } from "./utf8.ts";

/** The bytes whose SHA-256 begins with the series id. */
export function canonicalSeriesBytes(name: string, labels: readonly Label[]): Uint8Array {
  const strings = [encodeUtf8(name)];
  const present = labels.filter((label) => label.value !== "").sort((a, b) => compareByCodePoint(a.name, b.name));
  for (const label of present) strings.push(encodeUtf8(label.name), encodeUtf8(label.value));
  return lengthPrefixed(strings);
}

/** Orders strings by code point. JavaScript's own order is by UTF-16 unit and differs above U+FFFF. */
export function compareByCodePoint(a: string, b: string): number {
  const length = Math.min(a.length, b.length);
  for (let at = 0; at < length; at++) {
    if (a.charCodeAt(at) === b.charCodeAt(at)) continue;
    const unitA = a.charCodeAt(at);
    const unitB = b.charCodeAt(at);
    const surrogateA = unitA >= 0xd800 && unitA <= 0xdfff;
    const surrogateB = unitB >= 0xd800 && unitB <= 0xdfff;
    // A surrogate stands for a code point above every single unit.
    return surrogateA === surrogateB ? unitA - unitB : surrogateA ? 1 : -1;
  }
  return a.length - b.length;
}

function lengthPrefixed(strings: readonly Uint8Array[]): Uint8Array {
  const form = new Uint8Array(strings.reduce((size, text) => size + 4 + text.length, 0));
  const view = new DataView(form.buffer);
  let at = 0;
  for (const text of strings) {
    view.setUint32(at, text.length);
    form.set(text, at + 4);
    at += 4 + text.length;
  }
  return form;
}
