/** The text format 0.0.4: what its lines mean, and where a line stops being one. */
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { ExpositionError, parseExposition } from "../src/index.ts";
import { parseText, refusalOf, written } from "./support.ts";

describe("samples of the text format", () => {
  it.each([
    ["a 1\n", "a{} 1"],
    ["a{} 1\n", "a{} 1"],
    ['a{b="c"} 2.5\n', 'a{b="c"} 2.5'],
    ['a { b = "c" , } 3 4\n', 'a{b="c"} 3 @4'],
    ["\ta\t1\t-2\n", "a{} 1 @-2"],
    ['a{b="\\\\ \\" \\n"} 1\n', 'a{b="\\\\ \\" \\n"} 1'],
    ['a{b="}"} 1\n', 'a{b="}"} 1'],
    ['a{b=""} 1\n', 'a{b=""} 1'],
    ['{"a.b"} 1\n', "a.b{} 1"],
    ['{"a.b",c="d"} 1\n', 'a.b{c="d"} 1'],
    ['a{"é.ü"="ö"} 1\n', 'a{é.ü="ö"} 1'],
    ["a:b_c 1\n", "a:b_c{} 1"],
    ["a +Inf\n", "a{} Infinity"],
    ["a -inf\n", "a{} -Infinity"],
    ["a nAn\n", "a{} NaN"],
    ["a -0\n", "a{} -0"],
    ["a .5\n", "a{} 0.5"],
    ["a 5.\n", "a{} 5"],
    ["a 1e-3\n", "a{} 0.001"],
    ["a 9007199254740993\n", "a{} 9007199254740992"],
    ["a 0.1234567890123456789\n", "a{} 0.12345678901234568"],
  ])("%j is %s", (text, expected) => {
    expect(parseText(text).map(written)).toEqual([expected]);
  });

  it.each([
    ["a", "line 1, column 2: expected a number as value, found the end of the input"],
    ["a 1", "line 1, column 4: expected a timestamp in whole milliseconds, found the end of the input"],
    ["\n\nä 1\n", "line 3, column 1: expected a metric name, found byte 0xc3"],
    ["a 0x1p3\n", 'line 1, column 3: expected a number as value, found "0"'],
    ["a 1_000\n", 'line 1, column 3: expected a number as value, found "1"'],
    ["a 1 2.5\n", 'line 1, column 5: expected a timestamp in whole milliseconds, found "2"'],
    ["a 1 2 3\n", 'line 1, column 6: expected the end of the line, found " "'],
    ['a{b="c} 1\n', `line 1, column 10: expected '"' at the end of a label value, found the end of the line`],
    ['a{b="\\x"} 1\n', 'line 1, column 6: expected one of the escapes \\\\, \\n and \\", found "\\\\"'],
    ['a{b="c",b="d"} 1\n', 'line 1, column 9: expected each label name once, found "b"'],
    [
      'a{__name__="b"} 1\n',
      'line 1, column 3: expected another label name than __name__, which is reserved, found "_"',
    ],
    ["a {foo} 3\n", `line 1, column 7: expected '="…"' after the label name "foo", found "}"`],
    [
      "# TYPE a counter\n# TYPE a counter\n",
      'line 2, column 10: expected one TYPE line for "a", before its samples, found "c"',
    ],
    ["a 1\n# TYPE a counter\n", 'line 2, column 10: expected one TYPE line for "a", before its samples, found "c"'],
  ])("%j is refused", (text, message) => {
    expect(refusalOf(text)).toBe(message);
  });

  it("refuses bytes that are not UTF-8, at the byte", () => {
    const bytes = new Uint8Array([...new TextEncoder().encode('a{b="'), 0xff, ...new TextEncoder().encode('"} 1\n')]);
    expect(refusalOf(bytes)).toBe("line 1, column 6: expected UTF-8, found byte 0xff");
  });

  it("refuses a bound that is no number, in a histogram only", () => {
    expect(refusalOf('# TYPE h histogram\nh_bucket{le="x"} 1\n')).toContain('a number as value of "le"');
    expect(refusalOf('h_bucket{le="x"} 1\n')).toBe("accepted");
  });
});

describe("metadata of the text format", () => {
  it("joins the parts of a histogram under its family, and HELP after the samples", () => {
    const samples = parseText(
      '# TYPE h histogram\nh_bucket{le="+Inf"} 3\nh_sum 4\nh_count 3\n# HELP h says \\\\ and \\n\nh_other 1\n',
    );
    expect(samples.map((sample) => [sample.name, sample.family.name, sample.family.type])).toEqual([
      ["h_bucket", "h", "histogram"],
      ["h_sum", "h", "histogram"],
      ["h_count", "h", "histogram"],
      ["h_other", "h_other", "unknown"],
    ]);
    expect(samples[0]?.family.help).toBe("says \\ and \n");
  });

  it("takes other comments and empty lines as nothing", () => {
    expect(parseText("# just words\n\n#\n# HELP\n   \na 1\n").map(written)).toEqual(["a{} 1"]);
  });
});

describe("any input", () => {
  const pieces = fc.constantFrom("a", "{", "}", '"', "=", ",", " ", "\n", "#", "TYPE", "1", "\\", "é", "le", "# EOF\n");

  it("parses or is refused with an ExpositionError, and nothing else", () => {
    fc.assert(
      fc.property(fc.array(pieces, { maxLength: 30 }), fc.boolean(), (parts, open) => {
        try {
          parseExposition(new TextEncoder().encode(parts.join("")), open ? "openmetrics" : "prometheus");
        } catch (error) {
          expect(error).toBeInstanceOf(ExpositionError);
        }
      }),
    );
  });

  it("gives every finite double and every label value back", () => {
    fc.assert(
      fc.property(fc.double({ noNaN: true }), fc.string({ unit: "grapheme" }), (value, label) => {
        const escaped = label.replaceAll("\\", "\\\\").replaceAll('"', '\\"').replaceAll("\n", "\\n");
        const number =
          value === Number.POSITIVE_INFINITY ? "+Inf" : value === Number.NEGATIVE_INFINITY ? "-Inf" : value;
        const text = Object.is(value, -0) ? "-0" : String(number);
        const [sample] = parseText(`a{b="${escaped}"} ${text}\n`);
        expect(sample?.value).toBe(value);
        expect(sample?.labels).toEqual([{ name: "b", value: label }]);
      }),
    );
  });
});
