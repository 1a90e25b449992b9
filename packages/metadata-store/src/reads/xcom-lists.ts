/** What the instances of a mapped task pushed, as one list: in the order of their indexes, without those that pushed none. */
import { type JsonValue, sliceIndexes } from "@updraft/dag-core";
import type { Queryable } from "../database.ts";
import type { XComListAddress, XComSlice } from "../rows.ts";

const FROM = `xcom x JOIN dag_run r ON r.id = x.dag_run
  WHERE r.dag_id = $1 AND r.run_id = $2 AND x.task_id = $3 AND x.key = $4 AND json_typeof(x.value) <> 'null'`;

export async function sliceXComs(db: Queryable, address: XComListAddress, slice: XComSlice): Promise<JsonValue[]> {
  const { start = 0, stop, step = 1 } = slice;
  const isPlain = start >= 0 && step === 1 && (stop ?? 0) >= 0;
  if (isPlain) return readRange(db, address, start, stop === undefined ? null : Math.max(stop - start, 0));
  const indexes = sliceIndexes(await countXComs(db, address), slice);
  const rows = await db.rows<{ value: JsonValue }>({
    text: `SELECT s.value FROM (SELECT x.value, row_number() OVER (ORDER BY x.map_index) - 1 AS n FROM ${FROM}) s
      JOIN unnest($5::integer[]) WITH ORDINALITY AS wanted (n, place) USING (n) ORDER BY place`,
    values: [...valuesOf(address), indexes],
  });
  return rows.map(({ value }) => value);
}

export async function countXComs(db: Queryable, address: XComListAddress): Promise<number> {
  const [row] = await db.rows<{ count: number }>({
    text: `SELECT count(*)::integer AS count FROM ${FROM}`,
    values: valuesOf(address),
  });
  return row?.count ?? 0;
}

/** Airflow's order of runs: by logical date, or by `run_after` where there is none. */
export async function newestRunWithXCom(
  db: Queryable,
  address: XComListAddress & { readonly map_index?: number },
): Promise<string | null> {
  const [row] = await db.rows<{ run_id: string }>({
    name: "newest_run_with_xcom",
    text: `SELECT r.run_id FROM dag_run own JOIN dag_run r ON r.dag_id = own.dag_id
        AND coalesce(r.logical_date, r.run_after) <= coalesce(own.logical_date, own.run_after)
      WHERE own.dag_id = $1 AND own.run_id = $2 AND EXISTS (
        SELECT FROM xcom x WHERE x.dag_run = r.id AND x.task_id = $3 AND x.key = $4 AND x.map_index = coalesce($5, x.map_index))
      ORDER BY coalesce(r.logical_date, r.run_after) DESC, r.id = own.id DESC LIMIT 1`,
    values: [...valuesOf(address), address.map_index ?? null],
  });
  return row?.run_id ?? null;
}

async function readRange(db: Queryable, address: XComListAddress, start: number, length: number | null) {
  const rows = await db.rows<{ value: JsonValue }>({
    name: "xcom_range",
    text: `SELECT x.value FROM ${FROM} ORDER BY x.map_index OFFSET $5 LIMIT $6`,
    values: [...valuesOf(address), start, length],
  });
  return rows.map(({ value }) => value);
}

function valuesOf({ dag_id, run_id, task_id, key }: XComListAddress): unknown[] {
  return [dag_id, run_id, task_id, key];
}
