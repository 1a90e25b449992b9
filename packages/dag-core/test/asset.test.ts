/** Conditions over assets, and which runs their events make. */
import { at, dag } from "@updraft/testkit/dags";
import fc from "fast-check";
import { expect, test } from "vitest";
import {
  type AssetCondition,
  describeTimetable,
  isAssetConditionMet,
  mapPartitionKey,
  nextRun,
  PARTITION_GRAINS,
  type PartitionMapper,
  planAssetRuns,
  planPartitionedRuns,
  type QueuedAssetEvent,
  requiresBatching,
  validateDag,
} from "../src/index.ts";
import { table } from "./table.ts";

const NOON = at("2026-03-01T12:00:00Z");

/** `a & (b | ~alias)`, `[a]`, `@name`, `#uri`: a small language for conditions. */
function condition(text: string): AssetCondition {
  const inner = text.trim();
  for (const [sign, kind] of [
    ["|", "any"],
    ["&", "all"],
  ] as const) {
    const parts = splitOutside(inner, sign);
    if (parts.length > 1) return { kind, conditions: parts.map(condition) };
  }
  if (inner.startsWith("(")) return condition(inner.slice(1, -1));
  if (inner.startsWith("[")) return { kind: "all", conditions: inner.slice(1, -1).split(" ").map(condition) };
  if (inner.startsWith("~")) return { kind: "alias", name: inner.slice(1), group: "" };
  if (inner.startsWith("@")) return { kind: "name_ref", name: inner.slice(1) };
  if (inner.startsWith("#")) return { kind: "uri_ref", uri: inner.slice(1) };
  return { kind: "asset", name: inner, uri: `s3://${inner}`, group: "asset", extra: {} };
}

function splitOutside(text: string, sign: string): string[] {
  const parts = [""];
  let depth = 0;
  for (const character of text) {
    depth += Number(character === "(") - Number(character === ")");
    if (character === sign && depth === 0) parts.push("");
    else parts[parts.length - 1] += character;
  }
  return parts;
}

/** `a b~alias`: events of a, and of b, which is a member of the alias. */
function events(text: string): QueuedAssetEvent[] {
  return text
    .split(" ")
    .filter((word) => word !== "")
    .map((word, index) => {
      const [name = "", ...aliases] = word.split("~");
      return { id: index + 1, name, uri: `s3://${name}`, aliases, timestamp: NOON + index };
    });
}

const CONDITIONS = table(`
  condition       | events     | met
  --------------- | ---------- | ---
  a               | -          | no
  a               | a          | yes
  a               | b          | no
  a & b           | a          | no
  a & b           | a b        | yes
  a & b           | a a        | no
  a \u2502 b           | b          | yes
  [a b]           | a          | no
  [a b]           | b a        | yes
  ~x              | a          | no
  ~x              | a~x        | yes
  ~x              | a~y~x      | yes
  ~x & b          | a~x b      | yes
  @a              | a          | yes
  #s3://a         | a          | yes
  #s3://b         | a          | no
  a & (b \u2502 c)     | a c        | yes
  a & (b \u2502 c)     | b c        | no
  (a & b) \u2502 (c & d) | a d      | no
  (a & b) \u2502 (c & d) | c a d    | yes
`);

test.each(CONDITIONS)("$condition with events of $events: $met", (row) => {
  const met = isAssetConditionMet(condition(pipes(row.condition)), events(row.events ?? ""));
  expect(met ? "yes" : "no").toBe(row.met);
});

const RUNS = table(`
  condition | batch | room | events   | runs
  --------- | ----- | ---- | -------- | -------
  a         | no    | 9    | a a a    | 1,2,3
  a \u2502 b     | no    | 9    | a b      | 1,2
  a \u2502 b     | no    | 1    | a b      | 1
  a         | no    | 0    | a        | -
  a \u2502 b     | yes   | 9    | a b      | 1+2
  a         | yes   | 0    | a a      | 1+2
  a & b     | yes   | 9    | a        | -
  a & b     | yes   | 9    | a a b a  | 1+2+3+4
`);

test.each(RUNS)("$condition, batch $batch, room $room, events of $events make the runs $runs", (row) => {
  const runs = planAssetRuns({
    condition: condition(pipes(row.condition)),
    batch: row.batch === "yes",
    queued: events(row.events ?? ""),
    room: Number(row.room),
  });
  expect(runs.map(({ event_ids }) => event_ids.join("+")).join(",")).toBe(row.runs);
});

test("only several assets that are needed together must be batched", () => {
  const needed = ["a & b", "[a b]", "c | (a & b)"];
  const free = ["a", "[a]", "a | b", "a | (b | c)", "~x"];
  expect(needed.filter((text) => !requiresBatching(condition(text)))).toEqual([]);
  expect(free.filter((text) => requiresBatching(condition(text)))).toEqual([]);
});

test("no event is lost, none is consumed twice, and the order is kept", () => {
  const leaf = fc.constantFrom("a", "b", "c").map(condition);
  const { tree } = fc.letrec<{ tree: AssetCondition }>((tie) => ({
    tree: fc.oneof(
      { depthSize: "small" },
      leaf,
      fc.record({
        kind: fc.constantFrom("all" as const, "any" as const),
        conditions: fc.array(tie("tree"), { minLength: 1, maxLength: 3 }),
      }),
    ),
  }));
  const queue = fc.array(fc.record({ name: fc.constantFrom("a", "b", "c", "d"), late: fc.nat(3) }), { maxLength: 12 });
  fc.assert(
    fc.property(tree, queue, fc.nat(5), fc.boolean(), (asked, names, room, batch) => {
      const queued = names.map(({ name, late }, index) => ({
        id: index + 1,
        name,
        uri: `s3://${name}`,
        aliases: [],
        timestamp: NOON + index - late,
      }));
      const runs = planAssetRuns({ condition: asked, batch: batch || requiresBatching(asked), queued, room });
      const consumed = runs.flatMap(({ event_ids }) => event_ids);
      expect(new Set(consumed).size).toBe(consumed.length);
      const times = consumed.map((id) => queued[id - 1]?.timestamp ?? 0);
      expect(times).toEqual(times.toSorted((left, right) => left - right));
      const left = queued.filter(({ id }) => !consumed.includes(id));
      const more = planAssetRuns({ condition: asked, batch: batch || requiresBatching(asked), queued: left, room: 99 });
      const all = [...consumed, ...more.flatMap(({ event_ids }) => event_ids)];
      const able = batch || requiresBatching(asked) ? all : queued.filter((one) => isAssetConditionMet(asked, [one]));
      expect(all.length).toBe(able.length);
      for (const run of runs) {
        const own = queued.filter(({ id }) => run.event_ids.includes(id));
        expect(isAssetConditionMet(asked, own)).toBe(true);
        expect(run.run_after).toBe(Math.max(...own.map(({ timestamp }) => timestamp)));
      }
    }),
  );
});

test("schedules by assets: alone they never come due, with a timetable the timetable's ticks do", () => {
  const facts = { last: null, earliest: NOON, latest: null, catchup: true, now: NOON };
  const daily = { type: "cron", expression: "0 0 * * *", timezone: "UTC" } as const;
  const both = { condition: condition("a"), timetable: daily };
  expect(nextRun({ type: "asset", condition: condition("a"), batch: false }, facts)).toBeNull();
  expect(nextRun({ type: "asset_or_time", batch: false, ...both }, facts)).toEqual(nextRun(daily, facts));
  expect(nextRun({ type: "asset_and_time", ...both }, facts)).toEqual(nextRun(daily, facts));
  expect(describeTimetable({ type: "asset_or_time", batch: false, ...both })).toEqual({
    summary: "Asset or 0 0 * * *",
    description: "Triggered by assets or At 00:00",
    periodic: true,
  });
});

const KEYS = table(`
  mapper              | key                    | mapped
  ------------------- | ---------------------- | ----------------
  identity            | eu                     | eu
  hour                | 2026-03-04T05:06:07    | 2026-03-04T05
  hour                | 2026-03-04             | 2026-03-04T00
  day                 | 2026-03-04T05:06:07.5Z | 2026-03-04
  week                | 2026-03-04             | 2026-03-02 (W10)
  week                | 2027-01-03             | 2026-12-28 (W53)
  month               | 2026-03-04             | 2026-03
  quarter             | 2026-12-31             | 2026-Q4
  year                | 2026-03-04T05          | 2026
  day                 | eu                     | -
  day                 | 2026-13-40             | -
  allowed eu us       | us                     | us
  allowed eu us       | asia                   | -
  chain day allowed 2026-03-04 | 2026-03-04T05 | 2026-03-04
  chain day allowed 2026-03-04 | 2026-03-05T05 | -
  product identity month | eu│2026-03-04  | eu│2026-03
  product identity month | eu                  | -
  product identity month | eu│x           | -
`);

test.each(KEYS)("the key $key by $mapper: $mapped", ({ mapper = "", key = "", mapped = "" }) => {
  expect(mapPartitionKey(mapperOf(mapper.split(" ")), pipes(key)) ?? "").toBe(pipes(mapped));
});

function mapperOf([kind = "", ...rest]: readonly string[]): PartitionMapper {
  if (kind === "identity") return { kind };
  if (kind === "allowed") return { kind: "allowed_keys", keys: rest };
  if (kind === "product") return { kind, mappers: rest.map((word) => mapperOf([word])) };
  if (kind === "chain") return { kind, mappers: [mapperOf(rest.slice(0, 1)), mapperOf(rest.slice(1))] };
  return { kind: "start_of", grain: PARTITION_GRAINS.find((grain) => grain === kind) ?? "day" };
}

test("each key has runs of its own, of the events whose keys map to it", () => {
  const keys = ["2026-03-01", "2026-04-01", "2026-03-02", "eu", null];
  const queued = events("a a b a a").map((event, index) => ({ ...event, partition_key: keys[index] ?? null }));
  const mapper = { kind: "start_of", grain: "month" } as const;
  const plan = (text: string, batch: boolean, room: number) =>
    planPartitionedRuns({ condition: condition(text), batch, queued, room, mapper }).map(
      ({ partition_key, event_ids }) => `${partition_key}: ${event_ids.join("+")}`,
    );
  expect(plan("a & b", true, 9)).toEqual(["2026-03: 1+3"]);
  expect(plan("a", false, 9)).toEqual(["2026-03: 1", "2026-04: 2"]);
  expect(plan("a", false, 1)).toEqual(["2026-03: 1"]);
});

test("assets that can't be taken are refused with the reason", () => {
  const asset = { kind: "asset", name: "a", uri: "airflow://x", group: "asset", extra: {} } as const;
  const wrong = dag(
    "t",
    { timetable: { type: "asset", condition: condition("a & b"), batch: false } },
    { t: { outlets: [asset, { kind: "alias", name: " ", group: "" }, { kind: "name_ref", name: "\u00e4" }] } },
  );
  expect(validateDag(wrong).map(({ message }) => message)).toEqual([
    "A schedule that needs several assets together can't make a run for each event; leave out batchAssetEvents",
    "The scheme 'airflow' of asset uri 'airflow://x' is reserved; use another",
    "An asset alias is empty",
    "The asset name '\u00e4' may only have printable ASCII characters",
  ]);
  const none = dag("t", { timetable: { type: "asset", condition: { kind: "all", conditions: [] }, batch: true } });
  expect(validateDag(none)).toHaveLength(1);
  const partition = { kind: "start_of", grain: "decade" as never } as const;
  const decade = dag("t", { timetable: { type: "asset", condition: condition("a"), batch: true, partition } });
  expect(validateDag(decade).map(({ message }) => message)).toEqual([
    "A partition mapper can't find the start of 'decade'; use one of hour, day, week, month, quarter, year",
  ]);
});

/** Tables have no way to write their own separator. */
function pipes(text = ""): string {
  return text.replaceAll("\u2502", "|");
}
