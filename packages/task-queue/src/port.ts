/**
 * The queue between the engine and the workers.
 *
 * A message is a hint: Postgres is the truth. A message may be lost, doubled or reordered; the claim decides who runs
 * a try, and the sweep offers again what stays `queued`. One queue per Airflow queue.
 */

/** What a worker needs to claim a try. The token opens the Task Execution API for this one offer. */
export interface TaskMessage {
  readonly ti_id: string;
  readonly dag_id: string;
  readonly run_id: string;
  readonly task_id: string;
  readonly map_index: number;
  readonly try_number: number;
  /** Counts the offers of this try; part of the message's id, so that a second offer is not dropped as a double. */
  readonly offer_number: number;
  readonly queue: string;
  /** Airflow's priority_weight; a higher one is delivered first. */
  readonly priority_weight: number;
  /** Hash of the DAG's artefact: lets a worker pick a process that has it loaded. */
  readonly artefact_hash: string;
  readonly isolation: "warm" | "process";
  /** Workload token (JWT): good for claiming this try only. */
  readonly token: string;
}

/** The engine's side. */
export interface TaskQueue {
  /** Offers messages; safe to repeat. Bounded by installation parallelism. */
  offer(messages: readonly TaskMessage[]): Promise<void>;
  /** Resolves when the queue can be reached; rejects with a typed error that says what to do. */
  ping(): Promise<void>;
  close(): Promise<void>;
}

/** The worker's side: holds each message for the whole try, so that `concurrency` is the back-pressure. */
export interface TaskConsumer {
  /** Finishes or hands back what is running, then resolves. May be called twice. */
  close(): Promise<void>;
}

export interface TaskConsumerOptions {
  readonly queues: readonly string[];
  readonly concurrency: number;
  /** `offeredAt`: when the message was put into the queue, by the clock of who put it there. */
  readonly handle: (message: TaskMessage, offeredAt: number) => Promise<void>;
  readonly onError: (error: Error) => void;
}
