/** Many entities of one kind created, updated and deleted by one request. */
import { z } from "zod";

const onNonExistence = z.enum(["fail", "skip"]).default("fail");

export function bulkBodyOf<Entity extends z.ZodType>(entity: Entity) {
  return z.strictObject({
    actions: z.array(
      z.discriminatedUnion("action", [
        z.strictObject({
          action: z.literal("create"),
          entities: z.array(entity),
          action_on_existence: z.enum(["fail", "skip", "overwrite"]).default("fail"),
        }),
        z.strictObject({
          action: z.literal("update"),
          entities: z.array(entity),
          update_mask: z.array(z.string()).nullish(),
          action_on_non_existence: onNonExistence,
        }),
        z.strictObject({
          action: z.literal("delete"),
          entities: z.array(z.union([z.string(), entity])),
          action_on_non_existence: onNonExistence,
        }),
      ]),
    ),
  });
}

const bulkActionResponse = z.strictObject({
  /** Keys of what was done. */
  success: z.array(z.string()),
  errors: z.array(z.strictObject({ error: z.string(), status_code: z.int() })),
});
/** Null for an action that was not asked for. */
export const bulkResponse = z.strictObject({
  create: bulkActionResponse.nullable(),
  update: bulkActionResponse.nullable(),
  delete: bulkActionResponse.nullable(),
});
export type BulkResponse = z.infer<typeof bulkResponse>;
