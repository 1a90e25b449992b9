/** What the gate of a loop decides when its try ends, and the iteration that follows. */
import { decideLoop, type LoopDecision, type TaskLoop } from "@updraft/dag-core";
import type { FinishRequest } from "../store.ts";
import { takeBack } from "./clear.ts";
import { ENGINE_COLUMNS, type EngineInstance, type Move } from "./instance.ts";
import { readPositions } from "./loop-positions.ts";
import type { Turn } from "./turn.ts";

type Success = FinishRequest & { readonly outcome: { readonly kind: "success" } };

interface Gate {
  readonly instance: EngineInstance;
  readonly loop: TaskLoop;
  readonly index: number;
  readonly decision: LoopDecision;
}

/** Gates that lead to another iteration, by the ids of their instances. */
export type Continuing = ReadonlyMap<string, Gate>;

/** The requests, with a failure in place of a gate that did not hold in the last iteration. */
export async function decideLoops(
  turn: Turn,
  requests: readonly FinishRequest[],
  instances: ReadonlyMap<string, EngineInstance>,
): Promise<{ readonly requests: readonly FinishRequest[]; readonly continuing: Continuing }> {
  const asked = requests.flatMap((request) => {
    const instance = instances.get(request.ti_id);
    const loop = instance === undefined ? undefined : turn.planOf(instance).loops.get(instance.task_id);
    if (instance?.state !== "running" || loop?.gate_task_id !== instance.task_id || !isSuccess(request)) return [];
    return [{ request, instance, loop }];
  });
  if (asked.length === 0) return { requests, continuing: new Map() };
  const positions = await readPositions(
    turn.tx,
    asked.map(({ instance, loop }) => ({ dag_run: instance.dag_run, loop })),
  );
  const gates = new Map<FinishRequest, Gate>(
    asked.map(({ request, instance, loop }, n) => {
      const index = positions[n]?.index ?? 0;
      return [request, { instance, loop, index, decision: decideLoop(loop, index, isMet(request)) }];
    }),
  );
  return {
    requests: requests.map((request) => withFailure(request, gates.get(request))),
    continuing: new Map(
      [...gates.values()].filter(({ decision }) => decision.kind === "again").map((gate) => [gate.instance.id, gate]),
    ),
  };
}

function isSuccess(request: FinishRequest): request is Success {
  return request.outcome.kind === "success";
}

function isMet({ outcome }: Success): boolean {
  return outcome.xcoms.findLast(({ key }) => key === "return_value")?.value === true;
}

function withFailure(request: FinishRequest, gate: Gate | undefined): FinishRequest {
  if (gate?.decision.kind !== "failed") return request;
  const { reason } = gate.decision;
  return { ...request, outcome: { kind: "failed", retry: false, reason, retry_delay_seconds: null } };
}

/**
 * Begins the next iteration after the success of a gate: nothing outside of the loop learns of that success, and the
 * tasks of the group are cleared with their tries kept.
 */
export async function beginIterations(turn: Turn, moves: readonly Move[], continuing: Continuing): Promise<void> {
  for (const move of moves) {
    const gate = continuing.get(move.instance.id);
    if (gate === undefined || gate.decision.kind !== "again") continue;
    await turn.record([move]);
    await keepResult(turn, gate);
    await takeBack(turn, await membersOf(turn, gate), gate.decision.cause);
    // The first tasks of the group are nobody's children among what was cleared.
    await turn.move(await turn.decide(await membersOf(turn, gate)));
  }
}

function membersOf({ tx }: Turn, { instance, loop }: Gate): Promise<EngineInstance[]> {
  return tx.rows<EngineInstance>({
    name: "instances_of_loop",
    text: `SELECT ${ENGINE_COLUMNS} FROM task_instance t
      WHERE t.dag_run = $1 AND t.task_id = ANY($2::text[]) AND t.state IS DISTINCT FROM 'removed'
      ORDER BY t.id FOR UPDATE`,
    values: [instance.dag_run, loop.task_ids],
  });
}

async function keepResult(turn: Turn, { instance, loop, index }: Gate): Promise<void> {
  const isMapped = turn.planOf(instance).units.has(loop.result_task_id);
  const value = isMapped ? "coalesce(json_agg(x.value ORDER BY x.map_index), '[]')" : "(array_agg(x.value))[1]";
  await turn.tx.rows({
    name: isMapped ? "keep_loop_results" : "keep_loop_result",
    text: `INSERT INTO loop_iteration (dag_run, group_id, iteration, result)
      SELECT $1, $2, $3, ${value} FROM xcom x
      WHERE x.dag_run = $1 AND x.task_id = $4 AND x.key = 'return_value' AND ${isMapped ? "x.map_index >= 0" : "x.map_index = -1"}`,
    values: [instance.dag_run, loop.group_id, index, loop.result_task_id],
  });
}
