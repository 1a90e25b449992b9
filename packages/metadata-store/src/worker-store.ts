/** What the Task Execution API asks of the store. */
import { batched } from "./batcher.ts";
import { at, type Queryable } from "./database.ts";
import { claimTries } from "./engine/claim.ts";
import type { Engine } from "./engine/context.ts";
import { finishTries } from "./engine/finish.ts";
import { askPeople, hitlDetail } from "./engine/human-input.ts";
import { skipDownstream } from "./engine/mark.ts";
import { countXComs, newestRunWithXCom, sliceXComs } from "./reads/xcom-lists.ts";
import type { ConnectionRow, WorkerStore, XComAddress, XComRow } from "./store.ts";

const MOST_TOGETHER = 100;

export function workerStore(engine: Engine): WorkerStore {
  const { db, clock } = engine;
  return {
    claimTry: batched(MOST_TOGETHER, (requests) => claimTries(engine, requests)),
    finishTry: batched(MOST_TOGETHER, (requests) => finishTries(engine, requests)),
    skipDownstream: (request) => skipDownstream(engine, request),

    async heartbeat({ ti_id, try_number, hostname, pid }) {
      const beaten = await db.rows({
        name: "heartbeat",
        text: `UPDATE task_instance SET last_heartbeat_at = clock_timestamp()
          WHERE id = $1 AND try_number = $2 AND state = 'running' AND hostname = $3 AND pid = $4 RETURNING id`,
        values: [ti_id, try_number, hostname, pid],
      });
      if (beaten.length > 0) return "alive";
      const found = await db.rows({ text: "SELECT id FROM task_instance WHERE id = $1", values: [ti_id] });
      return found.length > 0 ? "not_running" : "not_found";
    },

    askPeople: (tiId, question) => askPeople(engine, tiId, question),
    hitlDetail: (tiId) => hitlDetail(engine, tiId),
    async firstRescheduleStart(tiId, tryNumber) {
      const [row] = await db.rows<{ start_date: number | null }>({
        text: "SELECT min(start_date) AS start_date FROM task_reschedule WHERE ti_id = $1 AND try_number = $2",
        values: [tiId, tryNumber],
      });
      return row?.start_date ?? null;
    },

    async artefact(hash) {
      const [row] = await db.rows<{ code: string }>({
        text: "SELECT code FROM dag_artefact WHERE hash = $1",
        values: [hash],
      });
      return row?.code ?? null;
    },

    async connection(connId) {
      const [row] = await db.rows<ConnectionRow>({
        text: "SELECT * FROM connection WHERE conn_id = $1",
        values: [connId],
      });
      return row ?? null;
    },

    async variable(key) {
      const [row] = await db.rows<{ val: string }>({ text: "SELECT val FROM variable WHERE key = $1", values: [key] });
      return row?.val ?? null;
    },
    async setVariable(key, value, description) {
      await db.rows({
        text: `INSERT INTO variable (key, val, description) VALUES ($1, $2, $3)
          ON CONFLICT (key) DO UPDATE SET val = $2, description = coalesce($3, variable.description)`,
        values: [key, value, description],
      });
    },
    async deleteVariable(key) {
      return (await db.rows({ text: "DELETE FROM variable WHERE key = $1 RETURNING key", values: [key] })).length > 0;
    },

    async getXCom(address) {
      const [row] = await db.rows<XComRow>({
        name: "get_xcom",
        text: `SELECT x.key, x.value, x."timestamp", r.logical_date, r.run_after, r.dag_id, r.run_id, x.task_id, x.map_index
          FROM xcom x JOIN dag_run r ON r.id = x.dag_run
          WHERE r.dag_id = $1 AND r.run_id = $2 AND x.task_id = $3 AND x.map_index = $4 AND x.key = $5`,
        values: addressValues(address),
      });
      return row ?? null;
    },
    sliceXComs: (address, slice) => sliceXComs(db, address, slice),
    countXComs: (address) => countXComs(db, address),
    newestRunWithXCom: (address) => newestRunWithXCom(db, address),
    setXCom: (address, value) =>
      write(db, address, {
        text: `INSERT INTO xcom (dag_run, task_id, map_index, key, value, "timestamp")
          SELECT id, $3, $4, $5, $6::json, $7 FROM dag_run WHERE dag_id = $1 AND run_id = $2
          ON CONFLICT (dag_run, task_id, key, map_index)
          DO UPDATE SET value = excluded.value, "timestamp" = excluded."timestamp" RETURNING key`,
        values: [JSON.stringify(value), at(clock.now())],
      }),
    deleteXCom: (address) => remove(db, "xcom", address),

    async getTaskState(address) {
      const [row] = await db.rows<{ value: Awaited<ReturnType<WorkerStore["getTaskState"]>> }>({
        text: `SELECT s.value FROM task_state_store s JOIN dag_run r ON r.id = s.dag_run
          WHERE r.dag_id = $1 AND r.run_id = $2 AND s.task_id = $3 AND s.map_index = $4 AND s.key = $5
            AND (s.expires_at IS NULL OR s.expires_at > $6)`,
        values: [...addressValues(address), at(clock.now())],
      });
      return row?.value;
    },
    setTaskState: (address, value, expiresAt) =>
      write(db, address, {
        text: `INSERT INTO task_state_store (dag_run, task_id, map_index, key, value, expires_at)
          SELECT id, $3, $4, $5, $6::json, $7 FROM dag_run WHERE dag_id = $1 AND run_id = $2
          ON CONFLICT (dag_run, task_id, key, map_index)
          DO UPDATE SET value = excluded.value, expires_at = excluded.expires_at RETURNING key`,
        values: [JSON.stringify(value), at(expiresAt)],
      }),
    deleteTaskState: (address) => remove(db, "task_state_store", address),
    async clearTaskState({ dag_id, run_id, task_id, map_index }) {
      await db.rows({
        text: `DELETE FROM task_state_store x USING dag_run r WHERE r.id = x.dag_run AND r.dag_id = $1 AND r.run_id = $2
          AND x.task_id = $3 AND x.map_index = $4`,
        values: [dag_id, run_id, task_id, map_index],
      });
    },
  };
}

function addressValues({ dag_id, run_id, task_id, map_index, key }: XComAddress): unknown[] {
  return [dag_id, run_id, task_id, map_index, key];
}

async function write(db: Queryable, address: XComAddress, { text, values }: { text: string; values: unknown[] }) {
  const rows = await db.rows({ text, values: [...addressValues(address), ...values] });
  if (rows.length === 0) throw new Error(`There is no run ${address.run_id} of DAG ${address.dag_id} to write to`);
}

async function remove(db: Queryable, table: "xcom" | "task_state_store", address: XComAddress): Promise<boolean> {
  const rows = await db.rows({
    text: `DELETE FROM ${table} x USING dag_run r WHERE r.id = x.dag_run AND r.dag_id = $1 AND r.run_id = $2
      AND x.task_id = $3 AND x.map_index = $4 AND x.key = $5 RETURNING x.key`,
    values: addressValues(address),
  });
  return rows.length > 0;
}
