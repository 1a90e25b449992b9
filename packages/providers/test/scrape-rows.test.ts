/** From a scrape to its rows: labels, times, limits, and what a failed scrape leaves. */
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { fromMessage, type ScrapeRecord, topicOf } from "../src/prometheus/scrape-record.ts";
import { reportRows, rowsOf, type SampleRow, seriesId } from "../src/prometheus/scrape-rows.ts";

const startMs = 1_700_000_000_123;

function record(text: string, fields: Partial<ScrapeRecord> = {}): ScrapeRecord {
  return {
    labels: { job: "node", instance: "a:1" },
    job: "node",
    instance: "a:1",
    startMs,
    durationSeconds: 0.25,
    contentType: "text/plain; version=0.0.4",
    fallbackProtocol: null,
    honorLabels: false,
    honorTimestamps: true,
    sampleLimit: 0,
    error: null,
    body: new TextEncoder().encode(text),
    ...fields,
  };
}

function written({ series, timestampMs, value }: SampleRow): string {
  const labels = Object.entries(series.labels).map(([name, text]) => `${name}=${text}`);
  return `${series.metricName}{${labels}} ${series.job} ${series.instance} ${value} @${timestampMs - startMs}`;
}

describe("rowsOf", () => {
  it.each([
    ["a plain sample", "a 1\n", {}, ["a{} node a:1 1 @0"]],
    ["a missing last line feed", "a 1", {}, ["a{} node a:1 1 @0"]],
    ["an empty answer", "", {}, []],
    ["its own time", `a 1 ${startMs - 7}\n`, {}, ["a{} node a:1 1 @-7"]],
    ["its own time, not honoured", `a 1 ${startMs - 7}\n`, { honorTimestamps: false }, ["a{} node a:1 1 @0"]],
    ["a time far ahead", `a 1 ${startMs + 600_001}\n`, {}, []],
    ["the first of two values at one time", "a 1\na 2\n", {}, ["a{} node a:1 1 @0"]],
    ["two times of one series", `a 1 ${startMs}\na 2 ${startMs + 1}\n`, {}, ["a{} node a:1 1 @0", "a{} node a:1 2 @1"]],
    ["empty labels", 'a{b="",c="d"} 1\n', {}, ["a{c=d} node a:1 1 @0"]],
    ["a label that the target has", 'a{job="x"} 1\n', {}, ["a{exported_job=x} node a:1 1 @0"]],
    [
      "and one that is taken",
      'a{job="x",exported_job="y"} 1\n',
      {},
      ["a{exported_job=y,exported_exported_job=x} node a:1 1 @0"],
    ],
    ["an honoured label", 'a{job="x",instance=""} 1\n', { honorLabels: true }, ["a{} x  1 @0"]],
    ["special values", "a NaN\nb +Inf\n", {}, ["a{} node a:1 NaN @0", "b{} node a:1 Infinity @0"]],
    [
      "OpenMetrics",
      "a 1\n# EOF\n",
      { contentType: "application/openmetrics-text; version=1.0.0" },
      ["a{} node a:1 1 @0"],
    ],
    ["a fallback format", "a 1\n", { contentType: "", fallbackProtocol: "PrometheusText0.0.4" }, ["a{} node a:1 1 @0"]],
  ])("%s", (_, text, fields, expected) => {
    expect(rowsOf(record(text, fields)).rows.map(written)).toEqual(expected);
  });

  it.each([
    ["a broken payload", "a{ 1\n", {}, "expected a label name", true],
    ["no Content-Type", "a 1\n", { contentType: "" }, 'Content-Type "" is no exposition', true],
    ["too many samples", "a 1\nb 1\n", { sampleLimit: 1 }, "2 samples are more than the sample_limit of 1", false],
    ["a target that was away", "", { error: "connect ECONNREFUSED" }, "connect ECONNREFUSED", false],
  ])("%s fails the whole scrape", (_, text, fields, failure, malformed) => {
    const result = rowsOf(record(text, fields));
    expect(result).toMatchObject({ rows: [], scraped: 0, malformed });
    expect(result.failure).toContain(failure);
  });

  it("makes the same rows of the same record, and different ids of different series", () => {
    const name = fc.stringMatching(/^[a-z]{1,3}$/);
    const series = fc.tuple(name, fc.dictionary(name, fc.string({ minLength: 1, unit: "grapheme" }), { maxKeys: 3 }));
    fc.assert(
      fc.property(series, series, ([nameA, labelsA], [nameB, labelsB]) => {
        const same =
          nameA === nameB &&
          JSON.stringify(Object.entries(labelsA).sort()) === JSON.stringify(Object.entries(labelsB).sort());
        expect(Buffer.from(seriesId(nameA, labelsA)).equals(seriesId(nameB, labelsB))).toBe(same);
      }),
    );
  });
});

describe("reportRows", () => {
  it("says what Prometheus says of a scrape", () => {
    const good = record("a 1\nb 2\nb 3\n", { labels: { job: "node", instance: "a:1", env: "prod" } });
    expect(reportRows(good, rowsOf(good), 2).map(written)).toEqual([
      "up{env=prod} node a:1 1 @0",
      "scrape_duration_seconds{env=prod} node a:1 0.25 @0",
      "scrape_samples_scraped{env=prod} node a:1 3 @0",
      "scrape_samples_post_metric_relabeling{env=prod} node a:1 3 @0",
      "scrape_series_added{env=prod} node a:1 2 @0",
    ]);
    const away = record("", { error: "away" });
    expect(reportRows(away, rowsOf(away), 0).map((row) => row.value)).toEqual([0, 0.25, 0, 0, 0]);
  });
});

describe("fromMessage", () => {
  const headers = { labels: '{"job":"a","instance":"b:1"}', scrape_start_ms: "5", duration_seconds: "0.1" };

  it.each([
    [{}, "it has no header labels"],
    [{ ...headers, labels: "{" }, "not JSON"],
    [{ ...headers, labels: '{"job":"a"}' }, "lacks job or instance"],
    [{ ...headers, labels: '{"job":1}' }, "not an object of texts"],
    [{ ...headers, scrape_start_ms: "soon" }, 'scrape_start_ms is no number from 0: "soon"'],
    [{ ...headers, scrape_start_ms: "1e300" }, "scrape_start_ms is no number"],
  ])("refuses %j", (given, reason) => {
    expect(() => fromMessage({ headers: given, value: null })).toThrow(reason);
  });
});

describe("topicOf", () => {
  it.each([
    ["node", "prometheus_metrics_node"],
    ["my job/ä", "prometheus_metrics_my_job__"],
  ])("%s is %s", (job, topic) => {
    expect(topicOf(job)).toBe(topic);
  });
});
