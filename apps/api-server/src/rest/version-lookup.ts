/**
 * The DAG versions that rows of runs and task instances name by number. Remembered for some seconds, since a page of
 * rows names the same few over and over.
 */
import type { DagVersionRow, MetadataStore } from "@updraft/metadata-store";
import type { Clock } from "@updraft/service-kit";

interface VersionName {
  readonly dag_id: string;
  readonly dag_version_number: number;
}
/** Undefined where the version is gone. */
export type VersionOf = (row: VersionName) => DagVersionRow | undefined;

export interface VersionLookup {
  /** Reads what `rows` name. */
  of(rows: readonly VersionName[]): Promise<VersionOf>;
}

const KEPT_MS = 10_000;
const MOST_KEPT = 2000;

export function createVersionLookup(store: Pick<MetadataStore, "getDagVersion">, clock: Clock): VersionLookup {
  const kept = new Map<string, { readonly version: DagVersionRow | undefined; readonly until: number }>();

  async function load(row: VersionName): Promise<void> {
    const found = await store.getDagVersion(row.dag_id, row.dag_version_number);
    kept.set(keyOf(row), { version: found?.version, until: clock.now() + KEPT_MS });
  }

  return {
    async of(rows) {
      if (kept.size > MOST_KEPT) kept.clear();
      const missing = new Map(rows.filter(isMissing).map((row) => [keyOf(row), row]));
      await Promise.all([...missing.values()].map(load));
      const versions = new Map(rows.map((row) => [keyOf(row), kept.get(keyOf(row))?.version]));
      return (row) => versions.get(keyOf(row));
    },
  };

  function isMissing(row: VersionName): boolean {
    const known = kept.get(keyOf(row));
    return known === undefined || known.until < clock.now();
  }
}

function keyOf({ dag_id, dag_version_number }: VersionName): string {
  return `${dag_version_number} ${dag_id}`;
}
