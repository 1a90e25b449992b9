import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { afterDeferral, TASK_INSTANCE_STATES, type TriggerEnd } from "../src/index.ts";

const EVENT: TriggerEnd = { kind: "event", payload: { at: 1 } };
const WAITING = { state: "deferred", next_method: "execute_complete", next_kwargs: { a: 1 } } as const;

describe("afterDeferral", () => {
  it("calls the method with its kwargs and the event", () => {
    expect(afterDeferral(WAITING, EVENT)).toEqual({
      next_method: "execute_complete",
      next_kwargs: { a: 1, event: { at: 1 } },
      cause: "Its trigger fired",
    });
  });

  it.each([
    [{ kind: "timeout" }, "Trigger timeout", []],
    [{ kind: "failure", traceback: ["Error: broken"] }, "Trigger failure", ["Error: broken"]],
  ] as const)("fails the try by __fail__ after %o", (end, error, traceback) => {
    expect(afterDeferral(WAITING, end)).toMatchObject({ next_method: "__fail__", next_kwargs: { error, traceback } });
  });

  it("goes on only from the states that wait for an event, whatever comes", () => {
    const ends = fc.constantFrom<TriggerEnd>(EVENT, { kind: "timeout" }, { kind: "failure", traceback: [] });
    fc.assert(
      fc.property(fc.constantFrom(null, ...TASK_INSTANCE_STATES), ends, (state, end) => {
        const resumed = afterDeferral({ ...WAITING, state }, end);
        expect(resumed === null).toBe(state !== "deferred" && state !== "awaiting_input");
      }),
    );
  });
});
