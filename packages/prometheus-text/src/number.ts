/**
 * Numbers of the two formats, read from bytes.
 *
 * Both take decimals with an optional exponent, and infinity and NaN in any case. Neither takes hexadecimal, octal or
 * binary forms or digits grouped by `_`, all of which JavaScript's or a neighbour's parser would let through.
 */
import { decodeUtf8 } from "./utf8.ts";

const zero = 0x30;
const nine = 0x39;
const powersOfTen = Array.from({ length: 23 }, (_, exponent) => 10 ** exponent);
const maxFastDigits = 15;

/** The number in `[start, end)`, or undefined if the range is not exactly one number. */
export function parseNumber(bytes: Uint8Array, start: number, end: number): number | undefined {
  let at = start;
  const sign = bytes[at];
  const negative = sign === 0x2d;
  if (negative || sign === 0x2b) at++;
  const digitsStart = at;
  let mantissa = 0;
  while (at < end && isDigit(bytes[at] as number)) mantissa = mantissa * 10 + ((bytes[at++] as number) - zero);
  let digits = at - digitsStart;
  let scale = 0;
  if (at < end && bytes[at] === 0x2e) {
    at++;
    const fractionStart = at;
    while (at < end && isDigit(bytes[at] as number)) mantissa = mantissa * 10 + ((bytes[at++] as number) - zero);
    scale = at - fractionStart;
    digits += scale;
  }
  if (digits === 0) return parseSpecial(bytes, start, end);
  if (at === end && digits <= maxFastDigits) {
    // Mantissa and power of ten are both exact doubles here, so one division rounds correctly.
    const value = scale === 0 ? mantissa : mantissa / (powersOfTen[scale] as number);
    return negative ? -value : value;
  }
  if (at < end && !isExponent(bytes, at, end)) return undefined;
  return Number(decodeUtf8(bytes, start, end));
}

/** A decimal integer of 64 bits with an optional sign, or undefined. Beyond 2^53 the last digits are rounded. */
export function parseInteger(bytes: Uint8Array, start: number, end: number): number | undefined {
  const first = bytes[start];
  const digitsStart = first === 0x2d || first === 0x2b ? start + 1 : start;
  if (digitsStart >= end) return undefined;
  for (let at = digitsStart; at < end; at++) if (!isDigit(bytes[at] as number)) return undefined;
  if (end - digitsStart > 18) {
    const exact = BigInt(decodeUtf8(bytes, digitsStart, end)) * (first === 0x2d ? -1n : 1n);
    return BigInt.asIntN(64, exact) === exact ? Number(exact) : undefined;
  }
  return Number(decodeUtf8(bytes, start, end));
}

function isDigit(byte: number): boolean {
  return byte >= zero && byte <= nine;
}

function isExponent(bytes: Uint8Array, start: number, end: number): boolean {
  if (bytes[start] !== 0x65 && bytes[start] !== 0x45) return false;
  let at = start + 1;
  if (bytes[at] === 0x2b || bytes[at] === 0x2d) at++;
  if (at >= end) return false;
  while (at < end) if (!isDigit(bytes[at++] as number)) return false;
  return true;
}

function parseSpecial(bytes: Uint8Array, start: number, end: number): number | undefined {
  if (end - start > 9) return undefined;
  switch (decodeUtf8(bytes, start, end).toLowerCase()) {
    case "nan":
      return Number.NaN;
    case "inf":
    case "+inf":
    case "infinity":
    case "+infinity":
      return Number.POSITIVE_INFINITY;
    case "-inf":
    case "-infinity":
      return Number.NEGATIVE_INFINITY;
    default:
      return undefined;
  }
}

/** True for a finite decimal whose magnitude no double holds, which the 0.0.4 format refuses. */
export function overflows(bytes: Uint8Array, start: number, value: number): boolean {
  if (value !== Number.POSITIVE_INFINITY && value !== Number.NEGATIVE_INFINITY) return false;
  const first = bytes[start] as number;
  const byte = first === 0x2b || first === 0x2d ? (bytes[start + 1] as number) : first;
  return isDigit(byte) || byte === 0x2e;
}
