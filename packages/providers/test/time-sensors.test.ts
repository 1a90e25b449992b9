import { DATE_TIME_TRIGGER } from "@updraft/dag-core";
import { Bundle, Dag, type Operator } from "@updraft/sdk";
import { type RawClient, type RunContext, runHandler } from "@updraft/sdk/host";
import { describe, expect, it } from "vitest";
import { dateTimeSensor, timeDeltaSensor } from "../src/standard/index.ts";

const END = "2100-01-01T00:00:00.000Z";

function run(sensor: Operator<void, void>, facts: Partial<RunContext> = {}) {
  const dag = new Dag("d");
  dag.task("t", sensor)();
  const context: RunContext = {
    ...{ dag_id: "d", task_id: "t", run_id: "r", try_number: 1, map_index: -1, logical_date: null },
    ...{ data_interval_start: null, data_interval_end: END, run_after: "2100-06-01T00:00:00Z", conf: {} },
    ...{ run_type: "manual" as const, max_tries: 0 },
    ...facts,
  };
  const signal = new AbortController().signal;
  const client = {} as RawClient;
  return runHandler({
    bundle: new Bundle(dag),
    dagId: "d",
    taskId: "t",
    inputs: { bindings: [], xcoms: {} },
    context,
    client,
    log: () => {},
    signal,
  });
}

const deferredTo = (moment: string) => ({ kind: "deferred", classpath: DATE_TIME_TRIGGER, triggerKwargs: { moment } });

describe("sensors of time", () => {
  it("wait without a slot, and end when the timer fires", async () => {
    const sensor = dateTimeSensor(new Date(END));
    expect(await run(sensor)).toMatchObject(deferredTo(END));
    expect(await run(sensor, { resumption: { method: "execute_complete", kwargs: { event: END } } })).toMatchObject({
      kind: "success",
    });
  });

  it("take what is over at once, and an instant that follows from the run", async () => {
    expect(await run(dateTimeSensor(new Date(0)))).toMatchObject({ kind: "success" });
    expect(await run(dateTimeSensor(({ runAfter }) => runAfter))).toMatchObject(deferredTo("2100-06-01T00:00:00.000Z"));
  });

  it("count a delta from the end of the data interval, or from run_after", async () => {
    expect(await run(timeDeltaSensor(60))).toMatchObject(deferredTo("2100-01-01T00:01:00.000Z"));
    expect(await run(timeDeltaSensor(60), { data_interval_end: null })).toMatchObject(
      deferredTo("2100-06-01T00:01:00.000Z"),
    );
  });
});
