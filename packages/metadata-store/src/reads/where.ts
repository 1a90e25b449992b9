/** Conditions and order of a list, as SQL with parameters. */

import { at, type Queryable } from "../database.ts";
import type { InstantRange, Page } from "../store.ts";

export class Where {
  readonly #conditions: string[] = [];
  readonly values: unknown[] = [];

  /** Adds a condition whose `?` stands for the value; undefined adds nothing. */
  and(condition: string, value: unknown): this {
    if (value === undefined) return this;
    this.values.push(value);
    this.#conditions.push(condition.replaceAll("?", `$${this.values.length}`));
    return this;
  }

  /** One of some values; an empty list adds nothing. */
  oneOf(column: string, values: readonly unknown[] | undefined): this {
    return values === undefined || values.length === 0 ? this : this.and(`${column} = ANY(?)`, values);
  }

  /** Anywhere in the text, without case; `%` and `_` are wildcards, `|` separates alternatives, `~` stands for all. */
  like(column: string, pattern: string | undefined): this {
    if (pattern === undefined || pattern === "~" || pattern === "") return this;
    const patterns = pattern.split("|").map((part) => `%${part.trim()}%`);
    return this.and(`${column} ILIKE ANY(?)`, patterns);
  }

  range(column: string, range: InstantRange | undefined): this {
    if (range === undefined) return this;
    const { gte, gt, lte, lt } = range;
    for (const [operator, instant] of [
      [">=", gte],
      [">", gt],
      ["<=", lte],
      ["<", lt],
    ] as const) {
      if (instant !== undefined) this.and(`${column} ${operator} ?`, at(instant));
    }
    return this;
  }

  /** A condition without a value. */
  when(condition: string, applies: boolean | undefined): this {
    if (applies === true) this.#conditions.push(condition);
    return this;
  }

  toString(): string {
    return this.#conditions.length === 0 ? "" : `WHERE ${this.#conditions.join(" AND ")}`;
  }
}

/**
 * `ORDER BY` of a page: names become columns by `columns`, which is the allow-list; what isn't in it is left out,
 * because the API refuses it before. `tieBreak` makes the order total, so that pages don't overlap.
 */
export function orderBy({ order_by }: Page, columns: Readonly<Record<string, string>>, tieBreak: string): string {
  const parts = order_by.flatMap((name) => {
    const descending = name.startsWith("-");
    const column = columns[descending ? name.slice(1) : name];
    if (column === undefined) return [];
    return [`${column} ${descending ? "DESC NULLS LAST" : "ASC NULLS FIRST"}`];
  });
  return `ORDER BY ${[...parts, tieBreak].join(", ")}`;
}

export interface ListQuery {
  readonly columns: string;
  readonly from: string;
  readonly where: Where;
  readonly order: string;
  readonly page: Page;
}

/** A page of rows and how many there are in all. */
export async function list<R>(db: Queryable, { columns, from, where, order, page }: ListQuery) {
  const { values } = where;
  const [rows, [total]] = await Promise.all([
    db.rows<R>({
      text: `SELECT ${columns} FROM ${from} ${where} ${order} LIMIT $${values.length + 1} OFFSET $${values.length + 2}`,
      values: [...values, page.limit, page.offset],
    }),
    db.rows<{ count: number }>({ text: `SELECT count(*) FROM ${from} ${where}`, values }),
  ]);
  return { rows, total_entries: total?.count ?? 0 };
}
