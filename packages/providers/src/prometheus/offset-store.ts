/**
 * The committed offsets of a group, and the lease of the one who may move them.
 *
 * The lease carries a number that grows with each holder, and every change of an offset names that number. A holder that
 * was thought dead and wakes up finds a larger number and can commit nothing. The holder's name lives for a time to live
 * that Cassandra counts, so clocks of several machines don't matter; the number stays.
 */
import type { CassandraClient, CassandraRow, Statement } from "../cassandra/index.ts";
import type { TopicPartition } from "../kafka/index.ts";

export interface Lease {
  readonly groupId: string;
  readonly holder: string;
  readonly epoch: bigint;
}

/** A committed offset to move; `from` null sets it for the first time. */
export interface OffsetMove extends TopicPartition {
  readonly from: bigint | null;
  readonly to: bigint;
}

export interface CommittedOffset extends TopicPartition {
  readonly committed: bigint;
}

export type LeaseAttempt =
  | { readonly kind: "granted"; readonly lease: Lease }
  /** Another one is at work. */
  | { readonly kind: "held"; readonly holder: string };

const leaseSeconds = 20;
/** Batches larger than this are near the size that Cassandra warns of. */
const movesAtOnce = 100;

export class OffsetStore {
  readonly #cassandra: CassandraClient;
  readonly #table: string;

  constructor(cassandra: CassandraClient, keyspace: string) {
    this.#cassandra = cassandra;
    this.#table = `${keyspace}.kafka_offsets`;
  }

  /** Takes the lease unless another holder has it. A new try of the same holder takes it from the try before. */
  async tryLease(groupId: string, holder: string): Promise<LeaseAttempt> {
    const [row] = await this.#rowsOf(groupId);
    const epoch = asBigint(row?.epoch);
    const present = typeof row?.holder === "string" ? row.holder : null;
    if (present !== null && present !== holder) return { kind: "held", holder: present };
    const next = (epoch ?? 0n) + 1n;
    const { applied } = await this.#cassandra.compareAndSet([
      {
        query: `UPDATE ${this.#table} SET epoch = ? WHERE group_id = ? IF epoch = ? AND holder = ?`,
        values: [next, groupId, epoch, present],
      },
      this.#holderUpdate({ groupId, holder, epoch: next }),
    ]);
    return applied
      ? { kind: "granted", lease: { groupId, holder, epoch: next } }
      : { kind: "held", holder: "one who was faster" };
  }

  /** Makes the lease last on. False: another one has taken it. */
  async renew(lease: Lease): Promise<boolean> {
    const { applied } = await this.#cassandra.compareAndSet([
      {
        query: `UPDATE ${this.#table} USING TTL ${leaseSeconds} SET holder = ? WHERE group_id = ? IF epoch = ?`,
        values: [lease.holder, lease.groupId, lease.epoch],
      },
    ]);
    return applied;
  }

  /** Lets the next one in at once. A lease that is not given back ends by itself. */
  async release(lease: Lease): Promise<void> {
    await this.#cassandra.compareAndSet([
      {
        query: `UPDATE ${this.#table} SET holder = null WHERE group_id = ? IF epoch = ?`,
        values: [lease.groupId, lease.epoch],
      },
    ]);
  }

  async committed(groupId: string): Promise<readonly CommittedOffset[]> {
    return (await this.#rowsOf(groupId)).flatMap(({ topic, partition, committed }) => {
      const offset = asBigint(committed);
      return typeof topic === "string" && typeof partition === "number" && offset !== null
        ? [{ topic, partition, committed: offset }]
        : [];
    });
  }

  /** Moves the offsets if each stands where it is thought to stand and the lease still holds. */
  async move(lease: Lease, moves: readonly OffsetMove[]): Promise<boolean> {
    for (let at = 0; at < moves.length; at += movesAtOnce) {
      const statements = moves.slice(at, at + movesAtOnce).map((move) => this.#moveStatement(lease, move));
      if (!(await this.#cassandra.compareAndSet(statements)).applied) return false;
    }
    return true;
  }

  #moveStatement({ groupId, epoch }: Lease, { topic, partition, from, to }: OffsetMove): Statement {
    return {
      query: `UPDATE ${this.#table} SET committed = ? WHERE group_id = ? AND topic = ? AND partition = ? IF committed = ? AND epoch = ?`,
      values: [to, groupId, topic, partition, from, epoch],
    };
  }

  #holderUpdate({ groupId, holder }: Lease): Statement {
    return {
      query: `UPDATE ${this.#table} USING TTL ${leaseSeconds} SET holder = ? WHERE group_id = ?`,
      values: [holder, groupId],
    };
  }

  async #rowsOf(groupId: string): Promise<readonly CassandraRow[]> {
    const query = `SELECT topic, partition, epoch, holder, committed FROM ${this.#table} WHERE group_id = ?`;
    return this.#cassandra.select({ query, values: [groupId] }, "serial");
  }
}

function asBigint(value: unknown): bigint | null {
  return typeof value === "bigint" ? value : null;
}
