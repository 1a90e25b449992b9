import { expect, it } from "vitest";
import { type Clock, createTaskTokens, createWorkloadTokens, signJwt, verifyJwt } from "../src/index.ts";

const SECRET = "a secret of the test";
const queued = { ti_id: "0190", dag_id: "d", run_id: "r", task_id: "t", map_index: -1, try_number: 2 };

function clockAt(now: number): Clock & { set(to: number): void } {
  let time = now;
  return {
    now: () => time,
    sleep: async () => undefined,
    set(to) {
      time = to;
    },
  };
}

it("carries the try through a token, and tells workload from execution", async () => {
  const clock = clockAt(1_000_000);
  const tokens = createTaskTokens(SECRET, clock);
  const workload = tokens.verify(await createWorkloadTokens(SECRET, clock).sign(queued));
  expect(workload).toMatchObject({ kind: "valid", token: { ...queued, scope: "workload" } });
  expect(tokens.verify(tokens.signExecution(queued))).toMatchObject({ token: { ...queued, scope: "execution" } });
});

it("renews an execution token in the second half of its life, and refuses it afterwards", () => {
  const clock = clockAt(0);
  const tokens = createTaskTokens(SECRET, clock);
  const signed = tokens.signExecution(queued);
  const verdict = tokens.verify(signed);
  if (verdict.kind !== "valid") throw new Error("the token is fresh");
  clock.set(299_000);
  expect(tokens.renewed(verdict.token)).toBeUndefined();
  clock.set(301_000);
  expect(tokens.renewed(verdict.token)).toBeTypeOf("string");
  clock.set(600_000);
  expect(tokens.verify(signed)).toEqual({ kind: "expired" });
});

it.each([
  ["another secret", (): string => signJwt("other", { aud: "a", exp: 10 })],
  ["another audience", (): string => signJwt(SECRET, { aud: "b", exp: 10 })],
  ["no signature", (): string => `${signJwt(SECRET, { aud: "a", exp: 10 }).split(".").slice(0, 2).join(".")}.`],
  ["another algorithm", (): string => `eyJhbGciOiJub25lIn0.${signJwt(SECRET, { aud: "a", exp: 10 }).split(".")[1]}.`],
  ["no token at all", (): string => "nonsense"],
])("refuses a token with %s", (_what, make) => {
  expect(verifyJwt(SECRET, make(), "a", 0)).toEqual({ kind: "invalid" });
});

it("refuses everything where the secret is empty", () => {
  expect(verifyJwt("", signJwt("", { aud: "a", exp: 10 }), "a", 0)).toEqual({ kind: "invalid" });
});
