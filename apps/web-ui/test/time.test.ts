import { describe, expect, it } from "vitest";
import { durationSeconds, formatDuration, formatRelative } from "../src/time/duration.ts";
import { formatInstant, formatLogTime } from "../src/time/instant.ts";

describe("formatDuration", () => {
  it.each([
    [null, "–"],
    [0, "0 ms"],
    [0.0042, "4 ms"],
    [1.25, "1.3 s"],
    [59.4, "59 s"],
    [60, "1 min"],
    [95, "1 min 35 s"],
    [3600, "1 h"],
    [5400, "1 h 30 min"],
    [90_000, "1 d 1 h"],
    [-5, "-5 s"],
  ])("%s is %s", (seconds, words) => {
    expect(formatDuration(seconds)).toBe(words);
  });
});

describe("durationSeconds", () => {
  it("has no value before the start", () => {
    expect(durationSeconds(null, null, 5)).toBeNull();
  });
  it("runs until now while there is no end", () => {
    expect(durationSeconds("1970-01-01T00:00:01Z", null, 3500)).toBe(2.5);
  });
  it("is never negative, whatever the clocks say", () => {
    expect(durationSeconds("1970-01-01T00:00:09Z", null, 3500)).toBe(0);
  });
});

describe("formatRelative", () => {
  it.each([
    ["1970-01-01T00:00:14Z", "in 4 s"],
    ["1970-01-01T00:00:10.400Z", "now"],
    ["1969-12-31T23:59:10Z", "1 min ago"],
  ])("%s seen at second 10 is %s", (instant, words) => {
    expect(formatRelative(instant, 10_000)).toBe(words);
  });
});

describe("instants", () => {
  it("are shown in the zone asked for", () => {
    expect(formatInstant("2026-11-24T11:18:05Z", "Asia/Tokyo")).toBe("2026-11-24 20:18:05");
  });
  it("show midnight as 00", () => {
    expect(formatInstant("2026-11-24T00:00:00Z", "UTC")).toBe("2026-11-24 00:00:00");
  });
  it("are a dash where there is none", () => {
    expect(formatInstant(null)).toBe("–");
  });
  it("have milliseconds in logs", () => {
    expect(formatLogTime("2026-11-24T11:18:05.042Z", "UTC")).toBe("11:18:05.042");
  });
  it("stay as they are where they can't be read", () => {
    expect(formatLogTime("yesterday")).toBe("yesterday");
  });
});
