/**
 * Writes of one transaction that wait to travel together: several become one statement, because what a statement costs
 * is mostly its way. Parts of one statement all see the rows as they were before it, so two of a kind, which might
 * change the same row, are never put into one.
 */

/** A statement that changes rows and whose answer nobody needs. */
export interface Write {
  readonly name: string;
  readonly text: string;
  readonly values: readonly unknown[];
  /** It must return so many rows (by `RETURNING`); otherwise the transaction is repeated. */
  readonly expects?: number;
}

interface Joined {
  readonly name: string;
  readonly text: string;
  readonly values: readonly unknown[];
}

/** Postgres keeps 63 characters of a name, so joined statements are numbered. */
const numbers = new Map<string, number>();

export class WriteBatch {
  readonly #writes: Write[] = [];

  /** False: one of its kind waits already, and has to be taken first. */
  add(write: Write): boolean {
    if (this.#writes.some(({ name }) => name === write.name)) return false;
    this.#writes.push(write);
    return true;
  }

  /** Everything that waits as one statement; null: nothing does. */
  take(): Joined | null {
    const writes = this.#writes.splice(0);
    const [first, ...others] = writes;
    if (first === undefined) return null;
    return others.length === 0 && first.expects === undefined ? first : joined(writes);
  }
}

function joined(writes: readonly Write[]): Joined {
  const parts: string[] = [];
  const checks: string[] = [];
  const values: unknown[] = [];
  writes.forEach((write, index) => {
    const before = values.length;
    parts.push(
      `w${index} AS (${write.text.replace(/\$(\d+)/g, (_, number: string) => `$${Number(number) + before}`)})`,
    );
    values.push(...write.values);
    if (write.expects === undefined) return;
    values.push(write.expects);
    checks.push(`expect_rows((SELECT count(*) FROM w${index}), $${values.length})`);
  });
  const key = writes.map(({ name }) => name).join("+");
  const number = numbers.get(key) ?? numbers.size;
  numbers.set(key, number);
  return { name: `writes_${number}`, text: `WITH ${parts.join(", ")} SELECT ${checks.join(", ") || "1"}`, values };
}
