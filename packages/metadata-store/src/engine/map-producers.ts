/** A task over whose result others are mapped must return a list or a dict that is not too long; otherwise it fails. */
import { type JsonValue, mappedLength } from "@updraft/dag-core";
import type { FinishRequest } from "../store.ts";
import type { Engine } from "./context.ts";
import type { EngineInstance } from "./instance.ts";
import type { Turn } from "./turn.ts";

type Success = FinishRequest & { readonly outcome: { readonly kind: "success" } };

/** The requests, with a failure in place of each success that nothing could be mapped over. */
export async function failUnmappable(
  engine: Engine,
  turn: Turn,
  requests: readonly FinishRequest[],
  instances: ReadonlyMap<string, EngineInstance>,
): Promise<readonly FinishRequest[]> {
  const producing = requests.filter((request): request is Success => {
    const instance = instances.get(request.ti_id);
    return request.outcome.kind === "success" && instance?.state === "running" && isProducer(turn, instance);
  });
  if (producing.length === 0) return requests;
  const pushed = await readPushed(
    turn,
    producing.filter((one) => returned(one) === undefined),
  );
  return requests.map((request) => {
    const success = producing.find((one) => one === request);
    if (success === undefined) return request;
    const found = mappedLength(returned(success) ?? pushed.get(request.ti_id), engine.maxMapLength);
    if ("length" in found) return request;
    return { ...request, outcome: { kind: "failed", retry: true, reason: found.problem, retry_delay_seconds: null } };
  });
}

/** Of a mapped producer all values together are mapped over, whatever each of them is. */
function isProducer(turn: Turn, instance: EngineInstance): boolean {
  const { units, unitsFedBy } = turn.planOf(instance);
  return unitsFedBy.has(instance.task_id) && !units.has(instance.task_id);
}

function returned({ outcome }: Success): JsonValue | undefined {
  return outcome.xcoms.findLast(({ key }) => key === "return_value")?.value;
}

/** Workers in other languages push their result before they tell their end. */
async function readPushed(turn: Turn, requests: readonly Success[]): Promise<Map<string, JsonValue>> {
  if (requests.length === 0) return new Map();
  const rows = await turn.tx.rows<{ id: string; value: JsonValue }>({
    name: "pushed_results",
    text: `SELECT t.id, x.value FROM task_instance t JOIN xcom x USING (dag_run, task_id, map_index)
      WHERE t.id = ANY($1::uuid[]) AND x.key = 'return_value'`,
    values: [requests.map(({ ti_id }) => ti_id)],
  });
  return new Map(rows.map(({ id, value }) => [id, value]));
}
