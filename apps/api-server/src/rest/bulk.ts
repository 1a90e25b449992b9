/** Bulk requests: each entity is done by itself, and what can't be done is told beside what was. */
import { ApiError, type BulkResponse } from "@updraft/contract";

type Action<Entity> =
  | { readonly action: "create"; readonly entities: readonly Entity[]; readonly action_on_existence: OnExistence }
  | {
      readonly action: "update";
      readonly entities: readonly Entity[];
      readonly update_mask?: readonly string[] | null | undefined;
      readonly action_on_non_existence: "fail" | "skip";
    }
  | {
      readonly action: "delete";
      readonly entities: readonly (string | Entity)[];
      readonly action_on_non_existence: "fail" | "skip";
    };
type OnExistence = "fail" | "skip" | "overwrite";

/** Each does one entity and answers with its key, or throws `ApiError`. */
export interface BulkHandlers<Entity> {
  create?(entity: Entity, overwrite: boolean): Promise<string>;
  update(entity: Entity, mask: readonly string[]): Promise<string>;
  delete(entity: string | Entity): Promise<string>;
}

export async function applyBulk<Entity>(
  actions: readonly Action<Entity>[],
  handlers: BulkHandlers<Entity>,
): Promise<BulkResponse> {
  const done: BulkResponse = { create: null, update: null, delete: null };
  for (const action of actions) {
    const results = done[action.action] ?? { success: [], errors: [] };
    done[action.action] = results;
    for (const [entity, work] of worksOf(action, handlers)) {
      try {
        results.success.push(await work(entity));
      } catch (error) {
        if (!(error instanceof ApiError)) throw error;
        if (!isSkipped(action, error)) results.errors.push({ error: error.message, status_code: error.status });
      }
    }
  }
  return done;
}

type Work<Entity> = (entity: string | Entity) => Promise<string>;

function* worksOf<Entity>(
  action: Action<Entity>,
  handlers: BulkHandlers<Entity>,
): Iterable<[string | Entity, Work<Entity>]> {
  for (const entity of action.entities) {
    switch (action.action) {
      case "create":
        yield [entity, () => create(handlers, entity as Entity, action.action_on_existence)];
        break;
      case "update":
        yield [entity, () => handlers.update(entity as Entity, action.update_mask ?? [])];
        break;
      case "delete":
        yield [entity, (one) => handlers.delete(one)];
    }
  }
}

function create<Entity>(handlers: BulkHandlers<Entity>, entity: Entity, onExistence: OnExistence): Promise<string> {
  if (handlers.create === undefined)
    throw new ApiError("bad_request", { message: "Bulk create is not supported here; create them one by one." });
  return handlers.create(entity, onExistence === "overwrite");
}

function isSkipped<Entity>(action: Action<Entity>, { status }: ApiError): boolean {
  if (action.action === "create") return action.action_on_existence === "skip" && status === 409;
  return action.action_on_non_existence === "skip" && status === 404;
}
