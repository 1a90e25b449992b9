/** The try whose log is read: where it ran and whether it is over. */
import { ApiError } from "@updraft/contract";
import { isFinished } from "@updraft/dag-core";
import type { MetadataStore, TaskInstanceRow } from "@updraft/metadata-store";
import type { TaskLogKey } from "@updraft/service-kit";

export interface TryState {
  readonly hostname: string | null;
  readonly isOver: boolean;
}

/** Throws `ApiError` where there is no such try. */
export async function tryStateOf(store: Pick<MetadataStore, "listTries">, key: TaskLogKey): Promise<TryState> {
  const { try_number, ...address } = key;
  const rows = await store.listTries(address);
  const row = rows.find((one) => one.try_number === try_number);
  const newest = rows.at(-1);
  if (newest === undefined) throw new ApiError("log_not_found");
  // A try that has not begun yet has an empty log; one beyond is none.
  if (row === undefined && try_number > newest.try_number + 1) throw new ApiError("log_not_found");
  return { hostname: row?.hostname ?? null, isOver: row !== undefined && isOver(row, newest) };
}

/** An earlier try is over whatever its row says, and so is one that waits for the next. */
function isOver(row: TaskInstanceRow, newest: TaskInstanceRow): boolean {
  return row.try_number < newest.try_number || isFinished(row.state) || row.state === "up_for_retry";
}
