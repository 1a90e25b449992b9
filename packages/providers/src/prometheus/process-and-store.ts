/**
 * The task process_and_store: takes the records that are new in Kafka and stores each sample in a row of its own.
 *
 * lease → positions → freeze a range (or find the frozen one) → read, parse, write → mark done → commit → give back.
 * Whatever step a try ends at, the next one reads the same records and writes the same rows, so the effect is that of
 * one try that went through.
 */
import { setTimeout as delay } from "node:timers/promises";
import type { CassandraClient } from "../cassandra/index.ts";
import type { KafkaClient, OffsetRange, PartitionOffsets } from "../kafka/index.ts";
import { decideRange, positionOf, rangeToFreeze } from "./batch-plan.ts";
import { BatchStore, type TaskOfRun } from "./batch-store.ts";
import { type Lease, type OffsetMove, OffsetStore } from "./offset-store.ts";
import { RecordStore, type StoredCounts } from "./record-store.ts";
import { StageTimes } from "./stage-times.ts";
import type { TaskLog } from "./task-log.ts";

export interface ProcessAndStore {
  readonly kafka: KafkaClient;
  readonly cassandra: CassandraClient;
  readonly keyspace: string;
  /** Topics to read; those that the group has read before are read on as well. */
  readonly topics: readonly string[];
  readonly groupId: string;
  readonly task: TaskOfRun;
  /** The most that one run takes of one partition; the next run goes on. */
  readonly maxRecords?: number;
  readonly signal: AbortSignal;
  readonly log: TaskLog;
}

export interface StoreSummary extends StoredCounts {
  readonly ranges: number;
  /** Records that other runs will take, because this one had its fill. */
  readonly left: number;
  readonly ms: Readonly<Record<string, number>>;
}

/** Another try took the lease: what this one still does is void. */
export class LeaseLostError extends Error {
  override readonly name = "LeaseLostError";
}

const defaultMaxRecords = 2000;
/** A run's ranges are frozen and committed together, in one batch each. */
const maxRanges = 100;
const leaseWaitMs = 25_000;
const leasePollMs = 200;
const renewEveryMs = 5000;

export async function processAndStore(request: ProcessAndStore): Promise<StoreSummary> {
  const offsets = new OffsetStore(request.cassandra, request.keyspace);
  const times = new StageTimes();
  const lease = await times.measure("lease", () => waitForLease(request, offsets));
  try {
    return await new Run(request, { offsets, lease, times }).perform();
  } finally {
    // A lease that can't be given back ends by itself; the error of the run is the one to see.
    await offsets.release(lease).catch(() => undefined);
  }
}

async function waitForLease({ groupId, task, signal, log }: ProcessAndStore, offsets: OffsetStore): Promise<Lease> {
  const holder = [task.dagId, task.runId, task.taskId].join("/");
  const deadline = Date.now() + leaseWaitMs;
  for (let isFirst = true; ; isFirst = false) {
    const attempt = await offsets.tryLease(groupId, holder);
    if (attempt.kind === "granted") return attempt.lease;
    if (isFirst) log.info(`${attempt.holder} is storing for group ${groupId}; waiting for it to end`);
    if (Date.now() > deadline)
      throw new Error(
        `Another task (${attempt.holder}) has been storing for group ${groupId} for ${leaseWaitMs / 1000} s. To do: nothing if it is a long one, the next try goes on; else end that task.`,
      );
    await delay(leasePollMs, undefined, { signal });
  }
}

class Run {
  readonly #request: ProcessAndStore;
  readonly #offsets: OffsetStore;
  readonly #batches: BatchStore;
  readonly #records: RecordStore;
  readonly #lease: Lease;
  readonly #times: StageTimes;
  #renewedAt = Date.now();

  constructor(
    request: ProcessAndStore,
    held: { readonly offsets: OffsetStore; readonly lease: Lease; readonly times: StageTimes },
  ) {
    this.#request = request;
    this.#offsets = held.offsets;
    this.#lease = held.lease;
    this.#times = held.times;
    this.#batches = new BatchStore(request.cassandra, request.keyspace);
    this.#records = new RecordStore(request, held.times);
  }

  async perform(): Promise<StoreSummary> {
    const { log, task } = this.#request;
    const { committed, ends } = await this.#times.measure("plan", () => this.#positions());
    const frozen = await this.#times.measure("plan", () => this.#frozenRanges(committed, ends));
    const done: { range: OffsetRange; rows: number }[] = [];
    for (const range of frozen) {
      const decision = decideRange(range, committed.get(placeOf(range)) ?? range.from);
      if (decision.kind === "read") done.push({ range: decision.range, rows: await this.#storeRange(decision.range) });
      else
        log.info(`${textOf(range)}: ${decision.kind === "covered" ? "stored by another run" : "left to the next run"}`);
    }
    await this.#times.measure("commit", async () => {
      await this.#batches.markDone(task, done);
      await this.#move(done.map(({ range }) => range));
    });
    return this.#summary(done, ends);
  }

  /** Where each partition stands; a partition that is new, or that lost records, is set right first. */
  async #positions(): Promise<{ committed: Map<string, bigint>; ends: readonly PartitionOffsets[] }> {
    const { kafka, topics, groupId } = this.#request;
    const known = await this.#offsets.committed(groupId);
    const committed = new Map(known.map((place) => [placeOf(place), place.committed]));
    const ends = await kafka.offsets([...new Set([...topics, ...known.map(({ topic }) => topic)])]);
    const moves: OffsetMove[] = [];
    for (const end of ends) {
      const from = committed.get(placeOf(end)) ?? null;
      const { position, gap } = positionOf(from, end);
      if (gap !== null) await this.#recordGap(end, gap);
      if (position === from) continue;
      moves.push({ topic: end.topic, partition: end.partition, from, to: position });
      committed.set(placeOf(end), position);
    }
    await this.#move(moves);
    return { committed, ends };
  }

  async #frozenRanges(
    committed: ReadonlyMap<string, bigint>,
    ends: readonly PartitionOffsets[],
  ): Promise<readonly OffsetRange[]> {
    const { task, log, maxRecords = defaultMaxRecords } = this.#request;
    const found = await this.#batches.find(task);
    if (found.length > 0) {
      log.info(`Found the ranges that an earlier try froze: ${found.map(textOf).join(", ")}`);
      return found;
    }
    const ranges = ends
      .flatMap((end) => rangeToFreeze(committed.get(placeOf(end)) ?? end.earliest, end, maxRecords) ?? [])
      .sort((a, b) => Number(b.to - b.from - (a.to - a.from)))
      .slice(0, maxRanges);
    return this.#batches.freeze(task, ranges);
  }

  async #storeRange(range: OffsetRange): Promise<number> {
    const before = this.#records.counts().rows;
    const chunks = this.#request.kafka.readRange(range);
    for (;;) {
      this.#request.signal.throwIfAborted();
      await this.#keepLease();
      const chunk = await this.#times.measure("read", () => chunks.next());
      if (chunk.done === true) break;
      await this.#records.store(chunk.value, () => this.#keepLease());
    }
    return this.#records.counts().rows - before;
  }

  async #keepLease(): Promise<void> {
    if (Date.now() - this.#renewedAt < renewEveryMs) return;
    if (!(await this.#offsets.renew(this.#lease))) throw this.#lost();
    this.#renewedAt = Date.now();
  }

  async #move(moves: readonly OffsetMove[]): Promise<void> {
    if (!(await this.#offsets.move(this.#lease, moves))) throw this.#lost();
  }

  async #recordGap(
    { topic, partition }: PartitionOffsets,
    gap: { readonly from: bigint; readonly to: bigint; readonly reason: string },
  ): Promise<void> {
    const { cassandra, keyspace, groupId, log } = this.#request;
    log.error(`${topic}/${partition}: offsets ${gap.from} to ${gap.to} were never stored: ${gap.reason}`);
    const query = `INSERT INTO ${keyspace}.kafka_gaps (group_id, topic, partition, from_offset, to_offset, reason, noticed_at) VALUES (?, ?, ?, ?, ?, ?, ?)`;
    const values = [groupId, topic, partition, gap.from, gap.to, gap.reason, new Date()];
    await cassandra.write([[{ query, values }]]);
  }

  #summary(done: readonly { readonly range: OffsetRange }[], ends: readonly PartitionOffsets[]): StoreSummary {
    const counts = this.#records.counts();
    const reached = new Map(done.map(({ range }) => [placeOf(range), range.to]));
    const left = ends.reduce((sum, end) => sum + Number(end.latest - (reached.get(placeOf(end)) ?? end.latest)), 0);
    const summary = { ...counts, ranges: done.length, left, ms: this.#times.all() };
    const { records, targets, bytes, samples, rows, deadLetters } = counts;
    this.#request.log.info(
      `Stored ${records} scrapes of ${targets} targets: ${bytes} bytes, ${samples} samples, ${rows} rows, ${deadLetters} dead letters; ${left} records left for the next run`,
      summary.ms,
    );
    return summary;
  }

  #lost(): LeaseLostError {
    const { groupId } = this.#request;
    return new LeaseLostError(
      `Another try took over group ${groupId} or moved its offsets while this one was at work. Nothing is lost; the rows this try wrote are the same rows. To do: nothing, the next try goes on from what is committed.`,
    );
  }
}

function placeOf({ topic, partition }: { readonly topic: string; readonly partition: number }): string {
  return `${topic}/${partition}`;
}

function textOf(range: OffsetRange): string {
  return `${placeOf(range)} [${range.from}, ${range.to})`;
}
