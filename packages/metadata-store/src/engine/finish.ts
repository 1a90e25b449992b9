/**
 * The end of tries: all that are reported together become one transaction, with everything that follows from them.
 */
import {
  eventsOfOutlets,
  type FinishDecision,
  failFastEffect,
  finishTry,
  type JsonValue,
  type OutletEvent,
  type TryEnd,
} from "@updraft/dag-core";
import { NOTHING } from "../announcement.ts";
import { at, type Queryable, type Transaction } from "../database.ts";
import type { FinishRequest, FinishResult, TryOutcome } from "../store.ts";
import { writeAssetEvents } from "./asset-events.ts";
import type { Engine } from "./context.ts";
import { resumeAnswered } from "./human-input.ts";
import { ENGINE_COLUMNS, type EngineInstance, type Move } from "./instance.ts";
import { beginIterations, decideLoops } from "./loops.ts";
import { failUnmappable } from "./map-producers.ts";
import { lockRunsOf } from "./runs.ts";
import { Turn } from "./turn.ts";
import { isWait, type Wait, whyNotDeferrable, writeWaits } from "./waits.ts";

export async function finishTries(engine: Engine, requests: readonly FinishRequest[]): Promise<FinishResult[]> {
  const ids = [...new Set(requests.map(({ ti_id }) => ti_id))];
  return engine.db.transaction(async (tx) => {
    const [runs, instances] = await Promise.all([lockRunsOf(tx, engine.plans, ids), lockInstances(tx, ids)]);
    const turn = new Turn(engine, tx, runs);
    const decided = new Map<string, Decided>();
    const deciding = decidingOf(requests, instances);
    const mappable = await failUnmappable(engine, turn, deciding, instances);
    const loops = await decideLoops(turn, mappable, instances);
    for (const request of loops.requests) {
      const instance = instances.get(request.ti_id);
      if (instance !== undefined) decided.set(instance.id, decideEnd(turn, instance, request));
    }
    const moves = [...decided.values()].flatMap(({ move }) => (move === null ? [] : [move]));
    await nameIndexes(tx, deciding, decided);
    storeXComs(tx, turn, decided.values());
    await turn.move(moves.filter(({ instance }) => !loops.continuing.has(instance.id)));
    await beginIterations(turn, moves, loops.continuing);
    await emitOutletEvents(turn, decided.values());
    await beginWaits(turn, decided.values());
    await failFast(turn, moves);
    const announcement = await turn.settle();
    return answers(turn, { requests, deciding, instances, decided, announcement });
  });
}

/** Of several reports of one instance the first of its current try decides; the others come too late. */
function decidingOf(
  requests: readonly FinishRequest[],
  instances: ReadonlyMap<string, EngineInstance>,
): readonly FinishRequest[] {
  const first = new Map<string, FinishRequest>();
  for (const request of requests) {
    const isCurrent = instances.get(request.ti_id)?.try_number === request.try_number;
    if (isCurrent && !first.has(request.ti_id)) first.set(request.ti_id, request);
  }
  return [...first.values()];
}

/** Ends tries that nobody reports: their process is gone or their message never led to one. */
export async function loseTries(
  turn: Turn,
  instances: readonly EngineInstance[],
  detailOf: (instance: EngineInstance) => string,
): Promise<void> {
  const moves = instances.flatMap((instance) => {
    const outcome: TryEnd = { kind: "lost", detail: detailOf(instance) };
    return moveOf(instance, decide(turn, instance, outcome, instance.try_number), turn.now) ?? [];
  });
  await turn.move(moves);
  await failFast(turn, moves);
}

interface Decided {
  readonly instance: EngineInstance;
  readonly decision: FinishDecision;
  readonly move: Move | null;
  readonly xcoms: readonly { readonly key: string; readonly value: JsonValue }[];
  readonly outletEvents: readonly OutletEvent[];
  readonly wait: Wait | null;
}

async function lockInstances(tx: Queryable, ids: readonly string[]): Promise<Map<string, EngineInstance>> {
  const rows = await tx.rows<EngineInstance>({
    name: "lock_instances",
    text: `SELECT ${ENGINE_COLUMNS} FROM task_instance t WHERE t.id = ANY($1::uuid[]) ORDER BY t.id FOR UPDATE`,
    values: [ids],
  });
  return new Map(rows.map((row) => [row.id, row]));
}

function decideEnd(turn: Turn, instance: EngineInstance, { outcome: given, try_number }: FinishRequest): Decided {
  const reason = whyNotDeferrable(given, turn.now);
  const outcome: TryOutcome =
    reason === null ? given : { kind: "failed", retry: true, reason, retry_delay_seconds: null };
  const decision = decide(turn, instance, outcome, try_number);
  const move = moveOf(instance, decision, turn.now);
  const success = move?.state === "success" && outcome.kind === "success" ? outcome : null;
  const wait = move?.state === outcome.kind && isWait(outcome) ? { instance, outcome } : null;
  return { instance, decision, move, xcoms: success?.xcoms ?? [], outletEvents: success?.outlet_events ?? [], wait };
}

function decide(turn: Turn, instance: EngineInstance, outcome: TryEnd, tryNumber: number): FinishDecision {
  if (tryNumber > instance.try_number) {
    return { kind: "rejected", reason: `try ${tryNumber} was never started; try ${instance.try_number} is current` };
  }
  const { logical_date } = turn.runOf(instance.dag_run);
  const facts = { ...instance, logical_date, end_date: turn.now };
  return finishTry(facts, outcome, turn.taskOf(instance), tryNumber, turn.now);
}

function moveOf(instance: EngineInstance, decision: FinishDecision, now: number): Move | null {
  if (decision.kind !== "moved") return null;
  const { state, cause, next_retry_at } = decision;
  // A deferral doesn't end the try: it goes on as if it had never stopped.
  if (state === "deferred" || state === "awaiting_input") return { instance, state, cause };
  return { instance, state, cause, next_retry_at, end_date: now };
}

/** Events of the outlets of every task that succeeded; a task without outlets costs nothing. */
async function emitOutletEvents(turn: Turn, decided: Iterable<Decided>): Promise<void> {
  const events = [...decided].flatMap(({ instance, move, outletEvents }) => {
    const { outlets } = turn.taskOf(instance);
    if (move?.state !== "success" || outlets.length === 0) return [];
    const { dag_id, run_id, task_id, map_index } = instance;
    const source = {
      source_dag_id: dag_id,
      source_run_id: run_id,
      source_task_id: task_id,
      source_map_index: map_index,
    };
    return eventsOfOutlets(outlets, outletEvents).map((event) => ({ ...event, ...source, given_key: null }));
  });
  const { queued } = await writeAssetEvents(turn.tx, events, turn.now);
  if (queued > 0) turn.tidings.wake_scheduler = true;
}

async function beginWaits(turn: Turn, decided: Iterable<Decided>): Promise<void> {
  const waits = [...decided].flatMap(({ wait }) => (wait === null ? [] : [wait]));
  if (waits.length === 0) return;
  if (await writeWaits(turn.tx, waits, turn.now)) turn.tidings.wake_scheduler = true;
  await resumeAnswered(
    turn,
    waits.filter(({ outcome }) => outcome.kind === "awaiting_input").map(({ instance }) => instance),
  );
}

/** By itself, as the rows are changed once more with what follows. */
async function nameIndexes(
  tx: Transaction,
  requests: readonly FinishRequest[],
  decided: ReadonlyMap<string, Decided>,
): Promise<void> {
  const named = requests.filter(({ ti_id, rendered_map_index }) => {
    return rendered_map_index != null && decided.get(ti_id)?.decision.kind === "moved";
  });
  if (named.length === 0) return;
  await tx.rows({
    name: "name_indexes",
    text: `UPDATE task_instance t SET rendered_map_index = n.name FROM unnest($1::uuid[], $2::text[]) AS n (id, name)
      WHERE t.id = n.id`,
    values: [named.map(({ ti_id }) => ti_id), named.map(({ rendered_map_index }) => rendered_map_index)],
  });
}

function storeXComs(tx: Transaction, turn: Turn, decided: Iterable<Decided>): void {
  const rows = [...decided].flatMap(({ instance, xcoms }) =>
    // A key given twice would be written twice by one statement; the last one counts.
    [...new Map(xcoms.map(({ key, value }) => [key, value]))].map(([key, value]) => ({ instance, key, value })),
  );
  if (rows.length === 0) return;
  tx.send({
    name: "store_xcoms",
    text: `INSERT INTO xcom (dag_run, task_id, map_index, key, value, "timestamp")
      SELECT dag_run, task_id, map_index, key, value::json, $6
      FROM unnest($1::bigint[], $2::text[], $3::integer[], $4::text[], $5::text[])
        AS x (dag_run, task_id, map_index, key, value)
      ON CONFLICT (dag_run, task_id, key, map_index)
      DO UPDATE SET value = excluded.value, "timestamp" = excluded."timestamp"`,
    values: [
      rows.map(({ instance }) => instance.dag_run),
      rows.map(({ instance }) => instance.task_id),
      rows.map(({ instance }) => instance.map_index),
      rows.map(({ key }) => key),
      rows.map(({ value }) => JSON.stringify(value)),
      at(turn.now),
    ],
  });
}

/** `fail_fast`: the first task that fails for good ends the rest of its run; teardowns still clean up. */
async function failFast(turn: Turn, moves: readonly Move[]): Promise<void> {
  for (const { instance, state } of moves) {
    if (state !== "failed" || !turn.planOf(instance).dag.fail_fast) continue;
    const others = await turn.tx.rows<EngineInstance>({
      name: "instances_of_run",
      text: `SELECT ${ENGINE_COLUMNS} FROM task_instance t WHERE t.dag_run = $1 ORDER BY t.id FOR UPDATE`,
      values: [instance.dag_run],
    });
    const cause = `fail_fast: task ${instance.task_id} failed`;
    await turn.move(
      others.flatMap((other) => {
        if (turn.isTeardown(other)) return [];
        const effect = failFastEffect(other.state);
        return effect === null ? [] : [{ instance: other, state: effect, cause, end_date: turn.now }];
      }),
    );
  }
}

interface Ended {
  readonly requests: readonly FinishRequest[];
  readonly deciding: readonly FinishRequest[];
  readonly instances: ReadonlyMap<string, EngineInstance>;
  readonly decided: ReadonlyMap<string, Decided>;
  readonly announcement: FinishAnnouncement;
}

/**
 * What was announced is announced once, by the first caller it concerns. A report that came together with the one that
 * decided is answered as if it had come after it.
 */
function answers(turn: Turn, { requests, deciding, instances, decided, announcement }: Ended): FinishResult[] {
  const untold = new Set(deciding);
  let told: FinishAnnouncement | null = announcement;
  return requests.map((request) => {
    const instance = instances.get(request.ti_id);
    if (instance === undefined) return { kind: "rejected", reason: "not_found", state: null };
    const one = decided.get(instance.id);
    const isDeciding = untold.delete(request);
    const before = isDeciding ? instance : { ...instance, state: one?.move?.state ?? instance.state };
    const decision =
      isDeciding && one !== undefined ? one.decision : decide(turn, before, request.outcome, request.try_number);
    if (decision.kind === "rejected") return { kind: "rejected", reason: "invalid_state", state: before.state };
    if (decision.kind === "repeated") return { kind: "repeated", state: before.state };
    const tidings = told ?? NOTHING;
    told = null;
    return { kind: "finished", state: decision.state, announcement: tidings };
  });
}
type FinishAnnouncement = Extract<FinishResult, { kind: "finished" }>["announcement"];
