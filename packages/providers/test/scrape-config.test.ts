/** prometheus.yml: what is read, and each complaint with its line. */
import { describe, expect, it } from "vitest";
import { readScrapeConfiguration } from "../src/prometheus/scrape-config.ts";
import { parseDurationMs, parseSizeBytes } from "../src/prometheus/units.ts";

function read(...lines: readonly string[]) {
  return readScrapeConfiguration(lines.join("\n"), "prometheus.yml");
}

const target = '  static_configs: [{targets: ["a:1"]}]';

describe("readScrapeConfiguration", () => {
  it("gives a plain job Prometheus' defaults", () => {
    expect(read("scrape_configs:", "- job_name: node", target)).toEqual({
      jobNames: ["node"],
      targets: [
        {
          jobName: "node",
          url: "http://a:1/metrics",
          labels: { job: "node", instance: "a:1" },
          timeoutMs: 10_000,
          authorization: null,
          protocols: ["OpenMetricsText1.0.0", "OpenMetricsText0.0.1", "PrometheusText1.0.0", "PrometheusText0.0.4"],
          fallbackProtocol: null,
          honorLabels: false,
          honorTimestamps: true,
          followRedirects: true,
          compression: true,
          bodySizeLimit: 0,
          sampleLimit: 0,
        },
      ],
    });
  });

  it("reads what a job says of itself and what it inherits", () => {
    const { targets } = read(
      "global: {scrape_interval: 5s, scrape_timeout: 30s, sample_limit: 7, external_labels: {a: b}}",
      "rule_files: [x.yml]",
      "scrape_configs:",
      "- job_name: blackbox",
      "  scheme: https",
      "  metrics_path: probe",
      "  params: {module: [http_2xx], target: [a b, c]}",
      "  body_size_limit: 1.5MB",
      "  honor_labels: true",
      "  basic_auth: {username: u, password_file: /run/secret}",
      "  static_configs:",
      '  - targets: ["a:1", "b:2"]',
      "    labels: {env: prod, instance: given}",
    );
    expect(targets.map(({ url }) => url)).toEqual([
      "https://a:1/probe?module=http_2xx&target=a+b&target=c",
      "https://b:2/probe?module=http_2xx&target=a+b&target=c",
    ]);
    expect(targets[1]).toMatchObject({
      labels: { job: "blackbox", instance: "given", env: "prod" },
      timeoutMs: 5000,
      bodySizeLimit: 1_572_864,
      sampleLimit: 7,
      honorLabels: true,
      authorization: { kind: "basic", username: "u", password: { kind: "file", path: "/run/secret" } },
    });
  });

  it.each([
    ["not YAML", ["a: [", "b"], /prometheus\.yml: not YAML/],
    ["no targets", ["scrape_configs: []"], /no targets/],
    [
      "an unknown key",
      ["scrape_configs:", "- job_name: a", "  metric_path: /x"],
      /line 3: metric_path: scrape_configs has no such key/,
    ],
    ["an unknown root key", ["scrape_config:", "- job_name: a"], /line 1: scrape_config:/],
    [
      "discovery",
      ["scrape_configs:", "- job_name: a", "  kubernetes_sd_configs: []"],
      /line 3: .*service discovery is not supported; list the targets/,
    ],
    [
      "relabelling",
      ["scrape_configs:", "- job_name: a", "  relabel_configs: []"],
      /line 3: .*relabelling is not supported/,
    ],
    ["no name", ["scrape_configs:", target.replace("  ", "- ")], /line 2: job_name: every scrape config needs one/],
    [
      "a name twice",
      ["scrape_configs:", "- job_name: a", target, "- job_name: a", target],
      /line 4: job_name: "a" is there twice/,
    ],
    [
      "a long timeout",
      ["scrape_configs:", "- job_name: a", "  scrape_interval: 5s", "  scrape_timeout: 6s"],
      /line 4: .*longer than/,
    ],
    [
      "a wrong duration",
      ["scrape_configs:", "- job_name: a", "  scrape_timeout: 5"],
      /expected a duration above 0 such as 5s, found "5"/,
    ],
    [
      "a URL as target",
      ["scrape_configs:", "- job_name: a", '  static_configs: [{targets: ["http://a/x"]}]'],
      /line 3: targets: "http:\/\/a\/x" is not host:port/,
    ],
    [
      "a reserved label",
      ["scrape_configs:", "- job_name: a", "  static_configs:", "  - labels:", "      __x: y"],
      /line 5: __x: is reserved/,
    ],
    [
      "two logins",
      ["scrape_configs:", "- job_name: a", "  basic_auth: {username: u}", "  authorization: {credentials: t}"],
      /line 4: .*not both/,
    ],
  ])("refuses %s", (_, lines, message) => {
    expect(() => read(...lines)).toThrow(message);
  });
});

describe("units", () => {
  it.each([
    ["5s", 5000],
    ["1h30m", 5_400_000],
    ["500ms", 500],
    ["0", 0],
    ["", undefined],
    ["5", undefined],
    ["1m1h", undefined],
  ])("%s is %s ms", (text, ms) => {
    expect(parseDurationMs(text)).toBe(ms);
  });

  it.each([
    ["10MB", 10_485_760],
    ["1KiB", 1024],
    ["5B", 5],
    ["0", 0],
    ["5", undefined],
    ["MB", undefined],
  ])("%s is %s bytes", (text, bytes) => {
    expect(parseSizeBytes(text)).toBe(bytes);
  });
});
