/** The check of docker-compose.yml must itself be able to fail: each promise is broken once. */
import { readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { composeProblems } from "../../scripts/check-compose.mjs";

const text = readFileSync(new URL("../../docker-compose.yml", import.meta.url), "utf8");

describe("docker-compose.yml", () => {
  it("keeps its promises", () => {
    expect(composeProblems(text)).toEqual([]);
  });

  it.each([
    ["a port off loopback", "127.0.0.1:9092:9092", "9092:9092", /broker.*127\.0\.0\.1/],
    ["a port taken twice", "127.0.0.1:9042:9042", "127.0.0.1:9092:9042", /taken by both/],
    [
      "a missing health check",
      'healthcheck:\n      test: ["CMD", "valkey-cli", "ping"]',
      "x-none:\n      test: []",
      /redis needs a health check/,
    ],
    ["a lost volume", 'volumes: ["redis-data:/data"]', "volumes: []", /redis must keep its data/],
    ["a renamed network", "name: confluent", "name: other", /named confluent/],
    [
      "a lost start order",
      "spark-master: { condition: service_healthy }",
      "redis: { condition: service_healthy }",
      /spark-worker must wait/,
    ],
    ["an unpinned image", "postgres:18", "postgres:latest", /pin the image/],
    ["an unknown service", "\n  redis:\n", "\n  zookeeper:\n    image: a:1\n\n  redis:\n", /ZooKeeper/],
  ])("notices %s", (_what, from, to, problem) => {
    expect(text).toContain(from);
    expect(composeProblems(text.replace(from, to)).join("\n")).toMatch(problem);
  });
});
