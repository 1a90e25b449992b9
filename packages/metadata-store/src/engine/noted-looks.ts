/** What a turn leaves to be looked at again; see `looks.ts` for who looks and why. */
import type { Instant } from "@updraft/dag-core";
import { at, type Transaction } from "../database.ts";

export interface Look {
  readonly dag_run: number;
  readonly due_at: number;
  /** Null: every undecided task. */
  readonly task_ids: readonly string[] | null;
  readonly of_next: boolean;
}

export function leaveLooks(tx: Transaction, looks: readonly Look[]): void {
  if (looks.length === 0) return;
  tx.send({
    name: "leave_looks",
    text: `INSERT INTO run_look (dag_run, due_at, task_ids, of_next)
      SELECT dag_run, due_at, CASE WHEN task_ids IS NULL THEN NULL ELSE ARRAY(SELECT json_array_elements_text(task_ids::json)) END, of_next
      FROM unnest($1::bigint[], $2::timestamptz[], $3::text[], $4::boolean[]) AS l (dag_run, due_at, task_ids, of_next)`,
    values: [
      looks.map(({ dag_run }) => dag_run),
      looks.map(({ due_at }) => at(due_at)),
      looks.map(({ task_ids }) => (task_ids === null ? null : JSON.stringify(task_ids))),
      looks.map(({ of_next }) => of_next),
    ],
  });
}

export class NotedLooks {
  readonly #next = new Map<number, Set<string>>();
  readonly #own = new Map<number, Set<string>>();
  readonly #later: { readonly run: number; readonly due: Instant }[] = [];

  /** Tasks of the runs after this one may go on. */
  atNext(run: number, tasks: readonly string[]): void {
    for (const task of tasks) addTo(this.#next, run, task);
  }

  /** A task of this run must be decided once more, when everybody sees the run. */
  atOwn(run: number, task: string): void {
    addTo(this.#own, run, task);
  }

  /** This run is to be looked at when `due` has come. */
  later(run: number, due: Instant): void {
    if (!this.#later.some((one) => one.run === run && one.due === due)) this.#later.push({ run, due });
  }

  list(now: Instant): Look[] {
    const due_at = now;
    return [
      ...[...this.#next].map(([dag_run, tasks]) => ({ dag_run, due_at, task_ids: [...tasks], of_next: true })),
      ...[...this.#own].map(([dag_run, tasks]) => ({ dag_run, due_at, task_ids: [...tasks], of_next: false })),
      ...this.#later.map(({ run, due }) => ({ dag_run: run, due_at: due, task_ids: null, of_next: false })),
    ];
  }
}

function addTo(sets: Map<number, Set<string>>, run: number, task: string): void {
  const known = sets.get(run);
  if (known === undefined) sets.set(run, new Set([task]));
  else known.add(task);
}
