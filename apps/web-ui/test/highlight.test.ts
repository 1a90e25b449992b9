import { expect, it } from "vitest";
import { markMatches } from "../src/log-viewer/highlight.ts";

function marked(text: string, search: string): string {
  return markMatches([{ text, style: {} }], search)
    .map((piece) => (piece.isMatch ? `<${piece.text}>` : piece.text))
    .join("");
}

it.each([
  ["an Error, error", "error", "an <Error>, <error>"],
  ["aaaa", "aa", "<aa><aa>"],
  ["whole", "whole", "<whole>"],
  ["none", "x", "none"],
  ["", "x", ""],
  ["a.b", ".", "a<.>b"],
  ["İi", "i", "İi"],
  ["any", "", "any"],
])("%j searched for %j is %j", (text, search, expected) => {
  expect(marked(text, search)).toBe(expected);
});
