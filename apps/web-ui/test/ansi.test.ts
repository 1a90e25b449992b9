import { describe, expect, it } from "vitest";
import { parseAnsi } from "../src/log-viewer/ansi.ts";

const E = "\u001b";

function plainText(text: string): string {
  return parseAnsi(text)
    .map((piece) => piece.text)
    .join("");
}

describe("parseAnsi", () => {
  it("leaves plain text in one piece", () => {
    expect(parseAnsi("plain [31m")).toEqual([{ text: "plain [31m", style: {} }]);
  });

  it("colours until it is reset", () => {
    expect(parseAnsi(`a${E}[31mred${E}[0mb`)).toEqual([
      { text: "a", style: {} },
      { text: "red", style: { color: "var(--ansi-red)" } },
      { text: "b", style: {} },
    ]);
  });

  it("takes an empty sequence as a reset", () => {
    expect(parseAnsi(`${E}[1mx${E}[my`).at(-1)).toEqual({ text: "y", style: {} });
  });

  it("adds attributes up and takes single ones away", () => {
    expect(parseAnsi(`${E}[1;3;4;32mx${E}[22;39my`)).toEqual([
      { text: "x", style: { bold: true, italic: true, underline: true, color: "var(--ansi-green)" } },
      { text: "y", style: { italic: true, underline: true } },
    ]);
  });

  it.each([
    ["94", { color: "var(--ansi-bright-blue)" }],
    ["42", { background: "var(--ansi-green)" }],
    ["101", { background: "var(--ansi-bright-red)" }],
    ["38;5;9", { color: "var(--ansi-bright-red)" }],
    ["38;5;196", { color: "rgb(255 0 0)" }],
    ["38;5;255", { color: "rgb(238 238 238)" }],
    ["48;2;1;2;300", { background: "rgb(1 2 255)" }],
    ["38;2;9;9;9;1", { color: "rgb(9 9 9)", bold: true }],
    ["99999", {}],
    ["38", {}],
  ])("reads %s", (codes, style) => {
    expect(parseAnsi(`${E}[${codes}mx`)).toEqual([{ text: "x", style }]);
  });

  it.each([`${E}[2K`, `${E}[1;5H`, `${E}[?25l`, `${E}]0;title\u0007`, `${E}]8;;http://a${E}\\`, `${E}(B`, `${E}c`])(
    "leaves out what steers a terminal: %j",
    (sequence) => expect(plainText(`a${sequence}b`)).toBe("ab"),
  );

  it("ends with a sequence that was cut off", () => {
    expect(plainText(`a${E}`)).toBe("a");
    expect(plainText(`a${E}[`)).toBe("a");
  });
});
