/** The private UI API: what a DAG waits for, and how DAGs depend on each other. */
import { z } from "zod";
import { jsonObject, wireInstantOrNull } from "../wire.ts";

export const nextRunAssetsResponse = z.strictObject({
  asset_expression: jsonObject.nullable(),
  events: z.array(
    z.strictObject({
      id: z.int(),
      name: z.string().nullable(),
      uri: z.string(),
      last_update: wireInstantOrNull,
      received_count: z.int(),
      required_count: z.int(),
      received_keys: z.array(z.string()),
      required_keys: z.array(z.string()),
      is_rollup: z.boolean(),
      mapper_error: z.boolean(),
      asset_inactive: z.boolean(),
    }),
  ),
  pending_partition_count: z.int().nullable(),
});
export type NextRunAssetsResponse = z.infer<typeof nextRunAssetsResponse>;

export const dependenciesResponse = z.strictObject({
  edges: z.array(z.strictObject({ source_id: z.string(), target_id: z.string() })),
  nodes: z.array(
    z.strictObject({
      id: z.string(),
      label: z.string(),
      type: z.enum(["asset", "dag", "task"]),
      team: z.string().nullable(),
    }),
  ),
});
export type DependenciesResponse = z.infer<typeof dependenciesResponse>;
