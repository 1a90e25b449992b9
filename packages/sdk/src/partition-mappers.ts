/** How schedules map the keys of asset events to the keys of their runs. */
import type { PartitionGrain, PartitionMapper } from "@updraft/dag-core";

/** The key as it is. */
export const identityMapper: PartitionMapper = Object.freeze({ kind: "identity" });

/** The start of the hour, day, week, month, quarter or year around an instant: many keys make one run. */
export function startOfMapper(grain: PartitionGrain): PartitionMapper {
  return Object.freeze({ kind: "start_of", grain });
}

/** Only these keys; events of others make no run. */
export function allowedKeyMapper(keys: readonly string[]): PartitionMapper {
  return Object.freeze({ kind: "allowed_keys", keys: Object.freeze([...keys]) });
}

/** Keys of several parts, as `eu|2026-03-01`: each part by a mapper of its own. */
export function productMapper(...mappers: readonly PartitionMapper[]): PartitionMapper {
  return Object.freeze({ kind: "product", mappers: Object.freeze([...mappers]) });
}

/** One mapper after another. */
export function chainMapper(...mappers: readonly PartitionMapper[]): PartitionMapper {
  return Object.freeze({ kind: "chain", mappers: Object.freeze([...mappers]) });
}
