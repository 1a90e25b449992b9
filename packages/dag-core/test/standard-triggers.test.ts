import { at } from "@updraft/testkit/dags";
import { describe, expect, it } from "vitest";
import { DAG_STATE_TRIGGER, DATE_TIME_TRIGGER, dagStateEvent, planTrigger, TIME_DELTA_TRIGGER } from "../src/index.ts";

const NOW = at("2026-03-01T00:00:00Z");

describe("planTrigger", () => {
  it.each([
    [{ moment: "2026-03-01T00:00:10Z" }, DATE_TIME_TRIGGER, 10_000],
    [{ moment: "2026-03-01T01:00:00+01:00" }, DATE_TIME_TRIGGER, 0],
    [
      {
        moment: {
          __classname__: "pendulum.datetime.DateTime",
          __version__: 2,
          __data__: { timestamp: NOW / 1000 + 2.5 },
        },
      },
      DATE_TIME_TRIGGER,
      2500,
    ],
    [{ delta: 1.5 }, TIME_DELTA_TRIGGER, 1500],
    [{ delta: { __classname__: "datetime.timedelta", __version__: 2, __data__: 60 } }, TIME_DELTA_TRIGGER, 60_000],
  ])("%o is a timer of %s", (kwargs, classpath, ms) => {
    expect(planTrigger(classpath, kwargs, NOW)).toEqual({ kind: "timer", due_at: NOW + ms });
  });

  it("says what it can't read", () => {
    expect(planTrigger(DATE_TIME_TRIGGER, { moment: "soon" }, NOW)).toMatchObject({ kind: "invalid" });
    expect(planTrigger(TIME_DELTA_TRIGGER, {}, NOW)).toMatchObject({ kind: "invalid" });
    expect(planTrigger(DAG_STATE_TRIGGER, { dag_id: "d", run_ids: [] }, NOW)).toMatchObject({ kind: "invalid" });
  });

  it("leaves every other trigger to a triggerer", () => {
    expect(planTrigger("updraft.trigger.mine", {}, NOW)).toEqual({ kind: "hosted" });
  });
});

describe("dagStateEvent", () => {
  const kwargs = { dag_id: "d", run_ids: ["r1", "r2"], states: ["success", "failed"] };

  it("waits for every run it names", () => {
    expect(dagStateEvent(kwargs, new Map([["r1", "success"]]))).toBeNull();
    expect(
      dagStateEvent(
        kwargs,
        new Map([
          ["r1", "success"],
          ["r2", "running"],
        ]),
      ),
    ).toBeNull();
  });

  it("tells the state of each run under its id", () => {
    const event = dagStateEvent(
      kwargs,
      new Map([
        ["r1", "success"],
        ["r2", "failed"],
      ]),
    );
    expect(event).toEqual([DAG_STATE_TRIGGER, { ...kwargs, r1: "success", r2: "failed" }]);
  });
});
