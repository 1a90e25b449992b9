import { describe, expect, it } from "vitest";
import { adviceFor, failureOf, unreachable } from "../src/api/failure.ts";
import { pathOf, withQuery } from "../src/api/request.ts";

describe("failures in words", () => {
  it.each([
    ["a text", { detail: "Dag not found" }, "Dag not found"],
    [
      "fields",
      { detail: [{ loc: ["body", "conf", "a"], msg: "Input should be a string" }] },
      "conf.a: Input should be a string.",
    ],
    ["the whole body", { detail: [{ loc: ["body"], msg: "Field required" }] }, "Field required."],
    ["a reason", { detail: { reason: "gone", message: "The run is gone" } }, "The run is gone"],
    ["nothing known", "<html>", "GET /x was answered with status 502."],
    ["an empty list", { detail: [] }, "GET /x was answered with status 502."],
  ])("are taken from a body that holds %s", (_case, body, message) => {
    expect(failureOf(502, "GET /x", body).message).toBe(message);
  });

  it("say what was tried where no answer came, and what to do", () => {
    const failure = unreachable("GET /ui/dags");
    expect(failure.message).toContain("GET /ui/dags");
    expect(adviceFor(failure)).toContain("server");
  });
});

describe("addresses", () => {
  it("carry run ids as they are", () => {
    expect(pathOf("a/b", "manual__2026-11-24T10:00:00+00:00")).toBe("/a%2Fb/manual__2026-11-24T10%3A00%3A00%2B00%3A00");
  });
  it("repeat lists and leave out what is not said", () => {
    expect(withQuery("/x", { tags: ["a", "b"], state: null, q: "", limit: 0 })).toBe("/x?tags=a&tags=b&limit=0");
    expect(withQuery("/x", { state: undefined })).toBe("/x");
  });
});
