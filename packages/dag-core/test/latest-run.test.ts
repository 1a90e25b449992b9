import { at } from "@updraft/testkit/dags";
import { describe, expect, it } from "vitest";
import { isLatestRun } from "../src/index.ts";
import { table } from "./table.ts";

describe("isLatestRun", () => {
  it.each(
    table(`
      start                | end                  | now                  | latest
      2026-03-01T00:00:00Z | 2026-03-02T00:00:00Z | 2026-03-02T00:00:01Z | yes
      2026-03-01T00:00:00Z | 2026-03-02T00:00:00Z | 2026-03-03T00:00:00Z | yes
      2026-03-01T00:00:00Z | 2026-03-02T00:00:00Z | 2026-03-03T00:00:01Z | no
      2026-03-01T00:00:00Z | 2026-03-01T00:00:00Z | 2026-04-01T00:00:00Z | yes
    `),
  )("a day from $start to $end at $now: $latest", ({ start = "", end = "", now = "", latest }) => {
    const timetable = { type: "cron_data_interval", expression: "0 0 * * *", timezone: "UTC" } as const;
    const interval = { data_interval_start: at(start), data_interval_end: at(end) };
    expect(isLatestRun(timetable, interval, at(now)) ? "yes" : "no").toBe(latest);
  });

  it("is always the latest of a schedule that ends with it", () => {
    const interval = { data_interval_start: at("2026-03-01T00:00:00Z"), data_interval_end: at("2026-03-02T00:00:00Z") };
    expect(isLatestRun({ type: "once" }, interval, at("2027-01-01T00:00:00Z"))).toBe(true);
  });
});
