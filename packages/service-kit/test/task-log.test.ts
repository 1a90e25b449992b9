import { describe, expect, it } from "vitest";
import { resolveLogPath, signLogToken, taskLogPath, verifyLogToken } from "../src/index.ts";

const key = {
  dag_id: "etl",
  run_id: "manual__2026-01-01T00:00:00+00:00",
  task_id: "g.load",
  map_index: -1,
  try_number: 2,
};

describe("the path of a try's log", () => {
  it("is Airflow's", () => {
    expect(taskLogPath(key)).toBe("dag_id=etl/run_id=manual__2026-01-01T00:00:00+00:00/task_id=g.load/attempt=2.log");
    expect(taskLogPath({ ...key, map_index: 3 })).toContain("/task_id=g.load/map_index=3/attempt=2.log");
  });

  it.each(["../../etc/passwd", "a/b", "a\\b", "\0", "..", "a\nb"])("keeps the id %j in one part", (run_id) => {
    const path = taskLogPath({ ...key, run_id });
    expect(path.split("/")).toHaveLength(4);
    const absolute = resolveLogPath("/logs", path);
    expect(absolute?.startsWith("/logs/dag_id=etl/run_id=")).toBe(true);
    expect(absolute?.split("/")).toHaveLength(6);
  });

  it("never maps two ids to one path", () => {
    const ids = ["a/b", "a%2Fb", "x".repeat(250), `${"x".repeat(249)}y`, "ü".repeat(200)];
    const paths = ids.map((task_id) => taskLogPath({ ...key, task_id }));
    expect(new Set(paths).size).toBe(ids.length);
    expect(paths.every((path) => path.split("/").every((part) => Buffer.byteLength(part) <= 255))).toBe(true);
  });

  it.each(["../secret", "dag_id=a/../../secret", "/etc/passwd", "", ".", "a\0b"])("doesn't resolve %j", (path) => {
    expect(resolveLogPath("/logs", path)).toBeUndefined();
  });
});

describe("a log token", () => {
  const path = taskLogPath(key);
  const token = signLogToken("secret", path, 10_000);

  it("opens its file until it expires", () => {
    expect(verifyLogToken("secret", path, token, 9000)).toBe(true);
    expect(verifyLogToken("secret", path, token, 10_000)).toBe(false);
  });

  it("opens nothing else", () => {
    const unsigned = `${Buffer.from('{"alg":"none"}').toString("base64url")}.${token.split(".")[1]}.`;
    expect(verifyLogToken("secret", "dag_id=other/attempt=1.log", token, 0)).toBe(false);
    expect(verifyLogToken("other", path, token, 0)).toBe(false);
    expect(verifyLogToken("", path, signLogToken("", path, 10_000), 0)).toBe(false);
    expect(verifyLogToken("secret", path, unsigned, 0)).toBe(false);
    expect(verifyLogToken("secret", path, "nonsense", 0)).toBe(false);
  });
});
