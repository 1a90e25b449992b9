/**
 * Text from bytes and back, without a runtime's own decoder: this package imports nothing and knows no platform.
 */

const replacement = 0xfffd;
const chunkSize = 4096;

/** Offset of the first byte that is not UTF-8, or -1. Overlong forms, surrogates and values above U+10FFFF are errors. */
export function invalidUtf8At(bytes: Uint8Array, start: number, end: number): number {
  let at = start;
  while (at < end) {
    if ((bytes[at] as number) < 0x80) {
      at++;
      continue;
    }
    const length = sequenceLength(bytes, at, end);
    if (length === 0) return at;
    at += length;
  }
  return -1;
}

/** Decodes a range. Bytes that are not UTF-8 become U+FFFD; callers who mind ask `invalidUtf8At` first. */
export function decodeUtf8(bytes: Uint8Array, start: number, end: number): string {
  for (let at = start; at < end; at++) {
    if ((bytes[at] as number) >= 0x80) return decodeMixed(bytes, start, end);
  }
  return decodeAscii(bytes, start, end);
}

/** Appends the UTF-8 form of a string; a lone surrogate becomes U+FFFD. */
export function encodeUtf8(text: string): Uint8Array {
  const bytes = new Uint8Array(text.length * 3);
  let length = 0;
  for (let at = 0; at < text.length; at++) {
    let point = text.codePointAt(at) as number;
    if (point > 0xffff) at++;
    if (point >= 0xd800 && point <= 0xdfff) point = replacement;
    length = writeCodePoint(bytes, length, point);
  }
  return bytes.subarray(0, length);
}

function decodeAscii(bytes: Uint8Array, start: number, end: number): string {
  if (end - start <= chunkSize) return String.fromCharCode.apply(null, bytes.subarray(start, end) as never);
  let text = "";
  for (let at = start; at < end; at += chunkSize) {
    text += String.fromCharCode.apply(null, bytes.subarray(at, Math.min(end, at + chunkSize)) as never);
  }
  return text;
}

function decodeMixed(bytes: Uint8Array, start: number, end: number): string {
  let text = "";
  let at = start;
  while (at < end) {
    const length = sequenceLength(bytes, at, end);
    text += String.fromCodePoint(length === 0 ? replacement : codePoint(bytes, at, length));
    at += Math.max(1, length);
  }
  return text;
}

/** Length of the valid sequence that starts here, 0 if there is none. */
function sequenceLength(bytes: Uint8Array, at: number, end: number): number {
  const lead = bytes[at] as number;
  if (lead < 0x80) return 1;
  const length = lead < 0xc2 ? 0 : lead < 0xe0 ? 2 : lead < 0xf0 ? 3 : lead < 0xf5 ? 4 : 0;
  if (length === 0 || at + length > end) return 0;
  for (let next = at + 1; next < at + length; next++) {
    if (((bytes[next] as number) & 0xc0) !== 0x80) return 0;
  }
  const point = codePoint(bytes, at, length);
  if (length === 3 && (point < 0x800 || (point >= 0xd800 && point <= 0xdfff))) return 0;
  if (length === 4 && (point < 0x10000 || point > 0x10ffff)) return 0;
  return length;
}

function codePoint(bytes: Uint8Array, at: number, length: number): number {
  const lead = bytes[at] as number;
  if (length === 1) return lead;
  let point = lead & (0xff >> (length + 1));
  for (let next = at + 1; next < at + length; next++) point = (point << 6) | ((bytes[next] as number) & 0x3f);
  return point;
}

function writeCodePoint(bytes: Uint8Array, at: number, point: number): number {
  if (point < 0x80) {
    bytes[at] = point;
    return at + 1;
  }
  if (point < 0x800) {
    bytes[at] = 0xc0 | (point >> 6);
    bytes[at + 1] = 0x80 | (point & 0x3f);
    return at + 2;
  }
  if (point < 0x10000) {
    bytes[at] = 0xe0 | (point >> 12);
    bytes[at + 1] = 0x80 | ((point >> 6) & 0x3f);
    bytes[at + 2] = 0x80 | (point & 0x3f);
    return at + 3;
  }
  bytes[at] = 0xf0 | (point >> 18);
  bytes[at + 1] = 0x80 | ((point >> 12) & 0x3f);
  bytes[at + 2] = 0x80 | ((point >> 6) & 0x3f);
  bytes[at + 3] = 0x80 | (point & 0x3f);
  return at + 4;
}
