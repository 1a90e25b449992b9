/** The canonical series: the vectors that the Spark form must meet too. */
import { createHash } from "node:crypto";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { canonicalSeriesBytes, compareByCodePoint, type Label } from "../src/index.ts";

function labels(...pairs: readonly [string, string][]): Label[] {
  return pairs.map(([name, value]) => ({ name, value }));
}

function hex(name: string, ...pairs: readonly [string, string][]): string {
  return Buffer.from(canonicalSeriesBytes(name, labels(...pairs))).toString("hex");
}

function id(name: string, ...pairs: readonly [string, string][]): string {
  return createHash("sha256")
    .update(canonicalSeriesBytes(name, labels(...pairs)))
    .digest("hex")
    .slice(0, 32);
}

describe("canonicalSeriesBytes", () => {
  it("is the name and the sorted labels, each with its length", () => {
    expect(hex("up")).toBe("000000027570");
    expect(hex("a", ["b", "é"])).toBe("0000000161" + "0000000162" + "00000002c3a9");
    expect(hex("a", ["c", "2"], ["b", "1"])).toBe(hex("a", ["b", "1"], ["c", "2"]));
    expect(hex("a", ["b", ""])).toBe(hex("a"));
  });

  it("tells apart what joined text would not", () => {
    expect(hex("a", ["b", "cd"])).not.toBe(hex("a", ["bc", "d"]));
    expect(hex("ab")).not.toBe(hex("a", ["b", "x"]));
  });

  // The ids were worked out with Python's hashlib, not by this code.
  it.each([
    ["up", [], "7189d54cfdcf89780f3fa0129d7caa3c"],
    [
      "up",
      [
        ["job", "node"],
        ["instance", "localhost:9100"],
      ],
      "f53be4002ca23846e77486b6dd2c2cda",
    ],
    [
      "température",
      [
        ["𝒳", "1"],
        ["\uffee", "2"],
        ["leer", ""],
      ],
      "e1fedb6aa7a1be23ab73260ba86e423a",
    ],
  ] as [string, [string, string][], string][])("id of %s %j", (name, pairs, expected) => {
    expect(id(name, ...pairs)).toBe(expected);
  });
});

describe("compareByCodePoint", () => {
  it("orders as UTF-8 bytes do", () => {
    fc.assert(
      fc.property(fc.string({ unit: "grapheme" }), fc.string({ unit: "grapheme" }), (a, b) => {
        expect(Math.sign(compareByCodePoint(a, b))).toBe(Buffer.compare(Buffer.from(a), Buffer.from(b)));
      }),
    );
  });
});
