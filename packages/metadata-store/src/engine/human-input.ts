/** Questions that tasks ask people: asked by the try, answered by a person or by their defaults. */
import { answerProblem, type Instant, type JsonValue } from "@updraft/dag-core";
import { at, type Queryable, type Transaction } from "../database.ts";
import { HITL_COLUMNS } from "../reads/columns.ts";
import type { HitlDetailRow, HitlQuestion, HitlResponse, RespondResult } from "../store.ts";
import type { Engine } from "./context.ts";
import type { EngineInstance } from "./instance.ts";
import { type Resumed, resumeTries, WAITING_COLUMNS, type WaitingInstance } from "./resume.ts";
import { lockRunsOf } from "./runs.ts";
import { Turn } from "./turn.ts";

/** Asks, or asks again: an answer to an earlier try of the same question is forgotten. */
export async function askPeople({ db, clock }: Engine, tiId: string, question: HitlQuestion): Promise<void> {
  await db.rows({
    name: "ask_people",
    text: `INSERT INTO hitl_detail (ti_id, options, subject, body, defaults, multiple, params, assignees, created_at)
      VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9)
      ON CONFLICT (ti_id) DO UPDATE SET options = $2, subject = $3, body = $4, defaults = $5, multiple = $6, params = $7,
        assignees = $8, responded_at = NULL, responded_by = NULL, chosen_options = NULL, params_input = '{}'`,
    values: [
      tiId,
      question.options,
      question.subject,
      question.body,
      question.defaults,
      question.multiple,
      JSON.stringify(question.params),
      JSON.stringify(question.assigned_users),
      at(clock.now()),
    ],
  });
}

export async function hitlDetail({ db }: Pick<Engine, "db">, tiId: string): Promise<HitlDetailRow | null> {
  const [row] = await readDetails(db, [tiId]);
  return row ?? null;
}

function readDetails(db: Queryable, ids: readonly string[], lock = ""): Promise<HitlDetailRow[]> {
  return db.rows<HitlDetailRow>({
    text: `SELECT ${HITL_COLUMNS} FROM hitl_detail h WHERE h.ti_id = ANY($1::uuid[]) ORDER BY h.ti_id ${lock}`,
    values: [ids],
  });
}

/** Stores an answer once; a task that waits for it goes on. */
export async function respond(engine: Engine, tiId: string, response: HitlResponse): Promise<RespondResult> {
  return engine.db.transaction(async (tx) => {
    const turn = new Turn(engine, tx, await lockRunsOf(tx, engine.plans, [tiId]));
    const [detail] = await readDetails(tx, [tiId], "FOR UPDATE");
    if (detail === undefined) return { kind: "rejected", reason: "not_found" };
    if (detail.responded_at !== null) return { kind: "rejected", reason: "already_responded" };
    const { user } = response;
    if (user !== null && detail.assigned_users.length > 0 && !detail.assigned_users.some(({ id }) => id === user.id))
      return { kind: "rejected", reason: "not_assigned" };
    const problem = answerProblem(detail, response.chosen_options);
    if (problem !== null) return { kind: "rejected", reason: "invalid_answer", problem };
    const answered = { ...detail, ...answerOf(response, turn.now) };
    writeAnswers(tx, [answered]);
    await resumeTries(turn, await resumedBy(tx, [answered]));
    return { kind: "responded", detail: answered, announcement: await turn.settle() };
  });
}

/** Tries that began to wait although their answer is there already. */
export async function resumeAnswered(turn: Turn, awaiting: readonly EngineInstance[]): Promise<void> {
  if (awaiting.length === 0) return;
  const ids = awaiting.map(({ id }) => id);
  const answered = (await readDetails(turn.tx, ids)).filter(({ responded_at }) => responded_at !== null);
  await resumeTries(turn, await resumedBy(turn.tx, answered));
}

/** Nobody answered in time: the defaults count as the answer; where there are none, the task is told. */
export async function timeOutInput(
  tx: Transaction,
  instances: readonly WaitingInstance[],
  now: Instant,
): Promise<Resumed[]> {
  const details = await readDetails(
    tx,
    instances.map(({ id }) => id),
    "FOR UPDATE",
  );
  const answered = details.flatMap((detail) =>
    detail.defaults === null
      ? []
      : [
          {
            ...detail,
            responded_at: now,
            responded_by_user: null,
            chosen_options: detail.defaults,
            params_input: inputOf(detail.params),
          },
        ],
  );
  if (answered.length > 0) writeAnswers(tx, answered);
  const payloads = new Map(answered.map((detail) => [detail.ti_id, payloadOf(detail, true)]));
  const error = "The timeout has passed, and the response has not yet been received.";
  return instances.map((instance) => {
    const payload = payloads.get(instance.id) ?? { error, error_type: "timeout" };
    return { instance, end: { kind: "event", payload } };
  });
}

async function resumedBy(tx: Queryable, answered: readonly HitlDetailRow[]): Promise<Resumed[]> {
  if (answered.length === 0) return [];
  const waiting = await tx.rows<WaitingInstance>({
    name: "awaiting_input",
    text: `SELECT ${WAITING_COLUMNS} FROM task_instance t WHERE t.id = ANY($1::uuid[]) AND t.state = 'awaiting_input'
      ORDER BY t.id FOR UPDATE`,
    values: [answered.map(({ ti_id }) => ti_id)],
  });
  return waiting.flatMap((instance) => {
    const detail = answered.find(({ ti_id }) => ti_id === instance.id);
    return detail === undefined ? [] : [{ instance, end: { kind: "event", payload: payloadOf(detail, false) } }];
  });
}

function writeAnswers(tx: Transaction, answered: readonly HitlDetailRow[]): void {
  for (const { ti_id, responded_at, responded_by_user, chosen_options, params_input } of answered) {
    tx.send({
      name: "answer_question",
      text: `UPDATE hitl_detail SET responded_at = $2, responded_by = $3, chosen_options = $4, params_input = $5 WHERE ti_id = $1`,
      values: [
        ti_id,
        at(responded_at),
        responded_by_user === null ? null : JSON.stringify(responded_by_user),
        chosen_options,
        JSON.stringify(params_input),
      ],
    });
  }
}

function answerOf({ user, chosen_options, params_input }: HitlResponse, now: Instant) {
  return { responded_at: now, responded_by_user: user, chosen_options, params_input };
}

/** What the resumed try gets, as Airflow's trigger gives it. */
function payloadOf(detail: HitlDetailRow, timedout: boolean): JsonValue {
  const { chosen_options, params_input, responded_at, responded_by_user } = detail;
  return {
    chosen_options: [...(chosen_options ?? [])],
    params_input: { ...params_input },
    responded_at: responded_at === null ? null : new Date(responded_at).toISOString(),
    responded_by_user: responded_by_user === null ? null : { ...responded_by_user },
    timedout,
  };
}

/** The values that params have when nobody changes them. */
function inputOf(params: HitlDetailRow["params"]): Record<string, JsonValue> {
  return Object.fromEntries(
    Object.entries(params).map(([name, param]) => {
      const isParam = typeof param === "object" && param !== null && !Array.isArray(param) && "value" in param;
      return [name, isParam ? (param.value ?? null) : param];
    }),
  );
}
