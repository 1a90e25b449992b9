import { describe, expect, it } from "vitest";
import { confFromParams, parseConf, triggerBody } from "../src/trigger/trigger-form.ts";

describe("parseConf", () => {
  it("takes nothing as an empty object", () => {
    expect(parseConf("  ")).toEqual({ conf: {}, problem: null });
  });
  it("takes an object", () => {
    expect(parseConf('{"a": [1]}')).toEqual({ conf: { a: [1] }, problem: null });
  });
  it.each(["[1]", "1", "null", '"text"'])("refuses %s, which is no object", (text) => {
    expect(parseConf(text).problem).toContain("JSON object");
  });
  it("says why it can't be read", () => {
    expect(parseConf("{a}").problem).toMatch(/^This is not JSON: ./);
  });
});

describe("confFromParams", () => {
  it("takes values out of Airflow's form and plain ones as they are", () => {
    expect(JSON.parse(confFromParams({ a: { value: 1, schema: {} }, b: "x" }))).toEqual({ a: 1, b: "x" });
  });
  it("is an empty object without params", () => {
    expect(confFromParams(null)).toBe("{}");
  });
});

describe("triggerBody", () => {
  it("leaves out what was not said", () => {
    const form = { conf: "", logicalDate: "", runId: " ", note: "" };
    expect(triggerBody(form, {})).toEqual({ logical_date: null, conf: {} });
  });
  it("sends the logical date with its zone", () => {
    const form = { conf: "", logicalDate: "2026-11-24T10:00:00", runId: "mine", note: "why" };
    const logicalDate = new Date("2026-11-24T10:00:00").toISOString();
    expect(triggerBody(form, {})).toEqual({ logical_date: logicalDate, conf: {}, dag_run_id: "mine", note: "why" });
  });
});
