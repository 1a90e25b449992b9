/** The frozen ranges of a run: written once, found again by every retry. */
import type { CassandraClient, CassandraValue } from "../cassandra/index.ts";
import type { OffsetRange } from "../kafka/index.ts";

/** The task of a run; its tries share it. */
export interface TaskOfRun {
  readonly dagId: string;
  readonly runId: string;
  readonly taskId: string;
}

export class BatchStore {
  readonly #cassandra: CassandraClient;
  readonly #table: string;

  constructor(cassandra: CassandraClient, keyspace: string) {
    this.#cassandra = cassandra;
    this.#table = `${keyspace}.kafka_batches`;
  }

  async find(task: TaskOfRun): Promise<readonly OffsetRange[]> {
    const rows = await this.#cassandra.select(
      {
        query: `SELECT topic, partition, from_offset, to_offset FROM ${this.#table} WHERE dag_id = ? AND run_id = ? AND task_id = ?`,
        values: keyOf(task),
      },
      "serial",
    );
    return rows.map(({ topic, partition, from_offset, to_offset }) => ({
      topic: String(topic),
      partition: Number(partition),
      from: BigInt(String(from_offset)),
      to: BigInt(String(to_offset)),
    }));
  }

  /** Freezes all ranges together. If another try was faster, its ranges are returned instead. */
  async freeze(task: TaskOfRun, ranges: readonly OffsetRange[]): Promise<readonly OffsetRange[]> {
    const { applied } = await this.#cassandra.compareAndSet(
      ranges.map(({ topic, partition, from, to }) => ({
        query: `INSERT INTO ${this.#table} (dag_id, run_id, task_id, topic, partition, from_offset, to_offset, state) VALUES (?, ?, ?, ?, ?, ?, ?, 'frozen') IF NOT EXISTS`,
        values: [...keyOf(task), topic, partition, from, to],
      })),
    );
    return applied ? ranges : this.find(task);
  }

  /** Notes that the ranges are stored, and how many rows each gave. */
  async markDone(
    task: TaskOfRun,
    done: readonly { readonly range: OffsetRange; readonly rows: number }[],
  ): Promise<void> {
    await this.#cassandra.compareAndSet(
      done.map(({ range, rows }) => ({
        query: `UPDATE ${this.#table} SET state = 'done', rows = ? WHERE dag_id = ? AND run_id = ? AND task_id = ? AND topic = ? AND partition = ? IF EXISTS`,
        values: [BigInt(rows), ...keyOf(task), range.topic, range.partition],
      })),
    );
  }
}

function keyOf({ dagId, runId, taskId }: TaskOfRun): CassandraValue[] {
  return [dagId, runId, taskId];
}
