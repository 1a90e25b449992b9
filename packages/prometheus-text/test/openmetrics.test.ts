/** OpenMetrics: what it says beyond the text format, and the rules that bind its lines together. */
import { describe, expect, it } from "vitest";
import { expositionFormatOf } from "../src/index.ts";
import { parseText, refusalOf, written } from "./support.ts";

describe("OpenMetrics samples", () => {
  it.each([
    ["# EOF\n", []],
    ["# EOF", []],
    ["# TYPE a counter\na_total 1\n# EOF\n", ["a_total{} 1"]],
    ["# TYPE a counter\na_total 1\na_created 2\n# EOF\n", ["a_total{} 1", "a_created{} 2"]],
    ["a 1 1.5\n# EOF\n", ["a{} 1 @1500"]],
    ["a 1 1520879607.789\n# EOF\n", ["a{} 1 @1520879607789"]],
    ['# TYPE a info\na_info{v="1"} 1\n# EOF\n', ['a_info{v="1"} 1']],
    ['# TYPE a stateset\na{a="on"} 1\na{a="off"} 0\n# EOF\n', ['a{a="on"} 1', 'a{a="off"} 0']],
  ])("%j", (text, expected) => {
    expect(parseText(text, "openmetrics").map(written)).toEqual(expected);
  });

  it("reads type, help, unit and an exemplar", () => {
    const text =
      "# TYPE a_seconds counter\n# UNIT a_seconds seconds\n# HELP a_seconds Time.\n" +
      'a_seconds_total 3 # {trace_id="t"} 0.5 12.25\n# EOF\n';
    const [sample] = parseText(text, "openmetrics");
    expect(sample?.family).toMatchObject({ name: "a_seconds", type: "counter", unit: "seconds", help: "Time." });
    expect(sample?.exemplar).toEqual({
      labels: [{ name: "trace_id", value: "t" }],
      value: 0.5,
      timestampMs: 12_250,
    });
  });

  it("reads a native histogram", () => {
    const fields =
      "count:24,sum:100,schema:0,zero_threshold:0.001,zero_count:4,positive_spans:[0:2],positive_deltas:[2,1]";
    const [sample] = parseText(`# TYPE h histogram\nh {${fields}}\n# EOF\n`, "openmetrics");
    expect(sample?.value).toBeNaN();
    expect(sample?.histogram).toMatchObject({ count: 24, sum: 100, positiveSpans: [{ offset: 0, length: 2 }] });
  });

  it.each([
    ["", "expected a metric name"],
    ["a 1\n", "expected a metric name, found the end of the input"],
    ["a 1\n# EOF\n\n", "nothing after # EOF"],
    ["a  1\n# EOF\n", "a number as value"],
    ["# TYPE a counter\na 1\n# EOF\n", "does not clash"],
    ["# TYPE a counter\na_total -1\n# EOF\n", "a counter that is not negative"],
    ["# TYPE a gauge\n# TYPE a gauge\na 1\n# EOF\n", "one TYPE line"],
    ["# UNIT a seconds\na 1\n# EOF\n", "ends in its unit"],
    ['# TYPE h histogram\nh_bucket{le="1"} 1\n# EOF\n', "a bucket with the bound +Inf"],
    ['# TYPE h histogram\nh_bucket{le="1"} 2\nh_bucket{le="+Inf"} 1\n# EOF\n', "bucket values that do not fall"],
    ['a{b="1"} 1 2\na{b="1"} 1 1\n# EOF\n', "timestamps that do not run backwards"],
    ['a{b="1"} 1\na{b="2"} 1\na{b="1"} 1\n# EOF\n', "the samples of a group together"],
    [`# TYPE a counter\na_total 1 # {t="${"x".repeat(128)}"} 1\n# EOF\n`, "at most 128 characters"],
  ])("%j is refused: %s", (text, part) => {
    expect(refusalOf(text, "openmetrics")).toContain(part);
  });
});

describe("expositionFormatOf", () => {
  it.each([
    ["text/plain; version=0.0.4; charset=utf-8", "prometheus"],
    ["text/plain;version=1.0.0;escaping=allow-utf-8", "prometheus"],
    ["text/plain", "prometheus"],
    ["application/openmetrics-text; version=1.0.0; charset=utf-8", "openmetrics"],
    ["application/OpenMetrics-Text;version=0.0.1", "openmetrics"],
    ["text/plain; version=9", null],
    ["text/html", null],
    ["", null],
  ])("%s is %s", (contentType, format) => {
    expect(expositionFormatOf(contentType)).toBe(format);
  });
});
