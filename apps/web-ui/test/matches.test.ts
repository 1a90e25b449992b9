import { expect, it } from "vitest";
import { rowOfLine, stepped } from "../src/log-viewer/matches.ts";

it("steps around the ends", () => {
  expect([stepped(0, 1, 3), stepped(2, 1, 3), stepped(0, -1, 3), stepped(0, 1, 0)]).toEqual([1, 0, 2, 0]);
});

it("finds the row of a line", () => {
  expect(rowOfLine(7, null)).toBe(7);
  expect([1, 5, 9].map((line) => rowOfLine(line, [1, 5, 9]))).toEqual([0, 1, 2]);
  expect(rowOfLine(6, [1, 5, 9])).toBe(-1);
  expect(rowOfLine(1, [])).toBe(-1);
});
