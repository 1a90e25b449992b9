/**
 * The inputs of tries that are claimed together: what upstream tasks returned, and what a mapped instance is mapped
 * over. Read for all of them at once; a task without inputs costs nothing.
 */
import {
  type ArgBinding,
  type JsonValue,
  type MapLengths,
  type MappedInputs,
  type MappedValue,
  mappedInputs,
  resolveMappedValue,
  type TryBinding,
} from "@updraft/dag-core";
import { type DagPlan, sharesIndex, taskOf } from "../dag-plan.ts";
import type { Queryable } from "../database.ts";
import { readMapLengths } from "./map-sources.ts";

/** A list of more bytes is not put into the answer; the task's process reads it piece by piece. */
const MOST_INLINE_BYTES = 256 * 1024;

export interface TryPlace {
  readonly plan: DagPlan;
  readonly dag_run: number;
  readonly task_id: string;
  readonly map_index: number;
}

export interface TryInputs {
  readonly arg_bindings: readonly TryBinding[];
  /** `return_value` by task; of a mapped task the list of its instances' values. Absent where there is none. */
  readonly xcom_inputs: Readonly<Record<string, JsonValue>>;
  /** Lists that are too long to be handed out here, with their length. */
  readonly xcom_lists: Readonly<Record<string, number>>;
}

/** The inputs of each, in the order given. */
export async function readInputs(db: Queryable, tries: readonly TryPlace[]): Promise<TryInputs[]> {
  const [singles, lists, mapped] = await Promise.all([
    readSingles(db, tries),
    readLists(db, tries),
    readMapped(db, tries),
  ]);
  return tries.map((place, n) => ({
    arg_bindings: bindingsOf(place, mapped[n] ?? null),
    xcom_inputs: Object.fromEntries([...(singles.get(n) ?? []), ...(lists.values.get(n) ?? [])]),
    xcom_lists: Object.fromEntries(lists.tooLong.get(n) ?? []),
  }));
}

interface Wanted {
  /** The place of the try among those given. */
  readonly n: number;
  readonly dag_run: number;
  readonly task_id: string;
  readonly map_index: number;
}

/** The upstream tasks named by a try's bindings, as whole lists or as one value each. */
function sourcesOf(tries: readonly TryPlace[], kind: "list" | "single"): Wanted[] {
  return tries.flatMap(({ plan, dag_run, task_id, map_index }, n) => {
    const bound = taskOf(plan, task_id).arg_bindings.flatMap((one) => (one.kind === "xcom" ? [one.task_id] : []));
    const sources = [...new Set(bound)].filter((id) => isList(plan, task_id, id) === (kind === "list"));
    return sources.map((id) => {
      const index = sharesIndex(plan, task_id, id) ? map_index : -1;
      return { n, dag_run, task_id: id, map_index: index };
    });
  });
}

function isList(plan: DagPlan, taskId: string, source: string): boolean {
  return plan.units.has(source) && !sharesIndex(plan, taskId, source);
}

type Entries<V> = Map<number, (readonly [string, V])[]>;

function byTry<V>(rows: readonly { readonly n: number; readonly task_id: string; readonly value: V }[]): Entries<V> {
  const entries: Entries<V> = new Map();
  for (const { n, task_id, value } of rows) entries.set(n, [...(entries.get(n) ?? []), [task_id, value]]);
  return entries;
}

function columnsOf(wanted: readonly Wanted[]): unknown[] {
  return [wanted.map(({ n }) => n), wanted.map(({ dag_run }) => dag_run), wanted.map(({ task_id }) => task_id)];
}

async function readSingles(db: Queryable, tries: readonly TryPlace[]): Promise<Entries<JsonValue>> {
  const wanted = sourcesOf(tries, "single");
  if (wanted.length === 0) return new Map();
  // A placeholder of the same group, at index -1, stands for all of its instances.
  return byTry(
    await db.rows<{ n: number; task_id: string; value: JsonValue }>({
      name: "claim_inputs",
      text: `SELECT w.n, w.task_id, x.value FROM unnest($1::integer[], $2::bigint[], $3::text[], $4::integer[]) AS w (n, dag_run, task_id, map_index)
        JOIN xcom x ON x.dag_run = w.dag_run AND x.task_id = w.task_id AND x.key = 'return_value'
          AND x.map_index = ANY(ARRAY[w.map_index, -1])`,
      values: [...columnsOf(wanted), wanted.map(({ map_index }) => map_index)],
    }),
  );
}

async function readLists(db: Queryable, tries: readonly TryPlace[]) {
  const wanted = sourcesOf(tries, "list");
  if (wanted.length === 0) return { values: new Map() as Entries<JsonValue>, tooLong: new Map() as Entries<number> };
  const rows = await db.rows<{ n: number; task_id: string; length: number; value: JsonValue | null }>({
    name: "claim_lists",
    text: `WITH measured AS (
        SELECT w.*, s.length, s.bytes FROM unnest($1::integer[], $2::bigint[], $3::text[]) AS w (n, dag_run, task_id),
          LATERAL (SELECT count(*)::integer AS length, coalesce(sum(octet_length(x.value::text)), 0) AS bytes FROM xcom x
            WHERE x.dag_run = w.dag_run AND x.task_id = w.task_id AND x.key = 'return_value' AND x.map_index >= 0
              AND json_typeof(x.value) <> 'null') s)
      SELECT m.n, m.task_id, m.length, CASE WHEN m.bytes <= ${MOST_INLINE_BYTES} THEN
          (SELECT coalesce(json_agg(x.value ORDER BY x.map_index), '[]') FROM xcom x
            WHERE x.dag_run = m.dag_run AND x.task_id = m.task_id AND x.key = 'return_value' AND x.map_index >= 0
              AND json_typeof(x.value) <> 'null') END AS value
      FROM measured m`,
    values: columnsOf(wanted),
  });
  return {
    values: byTry(rows.flatMap(({ value, ...row }) => (value === null ? [] : [{ ...row, value }]))),
    tooLong: byTry(rows.flatMap(({ value, length, ...row }) => (value === null ? [{ ...row, value: length }] : []))),
  };
}

async function readMapped(db: Queryable, tries: readonly TryPlace[]): Promise<(MappedInputs | null)[]> {
  const isMapped = ({ plan, task_id, map_index }: TryPlace) => map_index >= 0 && plan.units.has(task_id);
  const runs = [...new Set(tries.filter(isMapped).map(({ dag_run }) => dag_run))];
  if (runs.length === 0) return [];
  const hasSources = tries.some((one) => isMapped(one) && (one.plan.units.get(one.task_id)?.sources.length ?? 0) > 0);
  const lengths = hasSources ? await readMapLengths(db, runs) : new Map<number, MapLengths>();
  const inputs = tries.map((one) => {
    const unit = isMapped(one) ? one.plan.units.get(one.task_id) : undefined;
    return unit === undefined ? null : mappedInputs(unit.expand, one.map_index, lengths.get(one.dag_run) ?? new Map());
  });
  const read = await readItems(db, tries, inputs);
  return inputs.map((one, n) => (one === null ? null : resolved(one, tries[n]?.dag_run ?? 0, read)));
}

type ReadItem = (dagRun: number, taskId: string, index: number) => JsonValue;

async function readItems(
  db: Queryable,
  tries: readonly TryPlace[],
  inputs: readonly (MappedInputs | null)[],
): Promise<ReadItem> {
  const wanted = inputs.flatMap((one, n) =>
    (one === null ? [] : valuesOf(one)).flatMap(itemsOf).map((item) => ({ ...item, dag_run: tries[n]?.dag_run ?? 0 })),
  );
  const items = new Map<string, JsonValue>();
  if (wanted.length > 0) {
    const rows = await db.rows<{ dag_run: number; task_id: string; index: number; value: JsonValue }>({
      name: "claim_items",
      text: `SELECT dag_run, task_id, index, i.value FROM unnest($1::bigint[], $2::text[], $3::integer[]) AS w (dag_run, task_id, index)
        JOIN map_item i USING (dag_run, task_id, index)`,
      values: [wanted.map((one) => one.dag_run), wanted.map((one) => one.task_id), wanted.map((one) => one.index)],
    });
    for (const row of rows) items.set(`${row.dag_run}/${row.task_id}/${row.index}`, row.value);
  }
  return (dagRun, taskId, index) => {
    const value = items.get(`${dagRun}/${taskId}/${index}`);
    if (value === undefined) throw new Error(`item ${index} of what ${taskId} returned is not kept`);
    return value;
  };
}

function valuesOf(inputs: MappedInputs): MappedValue[] {
  return inputs.kind === "dict" ? [inputs.value] : inputs.inputs.map(({ value }) => value);
}

function itemsOf(value: MappedValue): { readonly task_id: string; readonly index: number }[] {
  switch (value.kind) {
    case "item":
      return [value];
    case "call":
      return itemsOf(value.of);
    case "tuple":
      return value.of.flatMap(itemsOf);
    default:
      return [];
  }
}

function resolved(inputs: MappedInputs, dagRun: number, read: ReadItem): MappedInputs {
  const resolve = (value: MappedValue) => resolveMappedValue(value, (taskId, index) => read(dagRun, taskId, index));
  if (inputs.kind === "dict") return { kind: "dict", value: resolve(inputs.value) };
  return { kind: "named", inputs: inputs.inputs.map(({ name, value }) => ({ name, value: resolve(value) })) };
}

/** The bindings of the task with those of its mapping; of a mapped group only what the task asks for. */
function bindingsOf({ plan, task_id }: TryPlace, mapped: MappedInputs | null): TryBinding[] {
  const { arg_bindings, expand } = taskOf(plan, task_id);
  const own = arg_bindings.flatMap((binding) => fromGroup(binding, mapped) ?? []);
  if (expand === null || mapped === null) return own;
  if (mapped.kind === "dict") {
    const strict = expand.kind !== "list" || expand.strict;
    return [...own, { name: "**", kind: "mapped_dict", value: mapped.value, strict }];
  }
  return [...own, ...mapped.inputs.map(({ name, value }) => binding(name, value, null))];
}

function fromGroup(given: ArgBinding, mapped: MappedInputs | null): TryBinding | null {
  if (given.kind !== "group") return given;
  if (mapped === null) return null;
  if (mapped.kind === "dict") return binding(given.name, mapped.value, given.key);
  const found = mapped.inputs.find(({ name }) => name === given.key);
  return found === undefined ? null : binding(given.name, found.value, null);
}

function binding(name: string, value: MappedValue, key: string | null): TryBinding {
  return value.kind === "value" && key === null
    ? { name, kind: "literal", value: value.value }
    : { name, kind: "mapped", value, key };
}
