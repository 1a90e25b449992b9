import { describe, expect, it } from "vitest";
import { loginPathFor, nextPath } from "../src/app/next-path.ts";
import { barHeights } from "../src/dag-list/bar-heights.ts";
import { changedParameters, filtersOf, questionOf } from "../src/dag-list/dag-list-filters.ts";

describe("filters in the address", () => {
  it("are read with defaults for what is missing or unknown", () => {
    const filters = filtersOf(new URLSearchParams("state=odd&page=x&tags=a&tags=b"), false);
    expect(filters).toEqual({ search: "", tags: ["a", "b"], state: null, paused: "all", page: 1 });
  });
  it("hide paused DAGs where the server says so, unless the address says otherwise", () => {
    expect(filtersOf(new URLSearchParams(), true).paused).toBe("active");
    expect(filtersOf(new URLSearchParams("paused=all"), true).paused).toBe("all");
  });
  it("become the server's question", () => {
    const filters = filtersOf(new URLSearchParams("paused=paused&page=3"), false);
    expect(questionOf(filters)).toMatchObject({ paused: true, limit: 50, offset: 100 });
  });
  it("lead back to the first page when they change, and only then", () => {
    const before = new URLSearchParams("page=4&tags=a");
    expect(changedParameters(before, { tags: ["b", "c"] }).toString()).toBe("tags=b&tags=c");
    expect(changedParameters(before, { page: "5" }).toString()).toBe("tags=a&page=5");
    expect(changedParameters(before, { tags: [], page: null }).toString()).toBe("");
  });
});

describe("barHeights", () => {
  it("shows the shortest and fills with the longest", () => {
    expect(barHeights([0, 5, 10], 100)).toEqual([20, 60, 100]);
  });
  it("has a bar for runs that took no time, and none for no runs", () => {
    expect(barHeights([0], 100)).toEqual([20]);
    expect(barHeights([], 100)).toEqual([]);
  });
});

describe("the way to sign-in and back", () => {
  it("leads back to the page asked for", () => {
    expect(loginPathFor("/dags/a?x=1")).toBe("/login?next=%2Fdags%2Fa%3Fx%3D1");
    expect(nextPath("/dags/a?x=1")).toBe("/dags/a?x=1");
  });
  it.each([null, "", "https://elsewhere.example", "//elsewhere.example", "/\\elsewhere.example", "/login?next=/login"])(
    "never leads from %s to another site or in circles",
    (asked) => expect(nextPath(asked)).toBe("/dags"),
  );
});
