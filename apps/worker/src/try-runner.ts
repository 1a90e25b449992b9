/**
 * The way of one try through the worker: message, claim, process, end.
 *
 * A warm try costs two calls, `run` and `state`. A message that can't be claimed is dropped: the database knows the
 * truth and the sweep offers again what still waits.
 */

import type { ArtefactCache } from "@updraft/execution-client";
import { type Clock, type Config, type Logger, userName } from "@updraft/service-kit";
import type { TaskMessage } from "@updraft/task-queue";
import { assignmentOf, logPathOf } from "./assignment.ts";
import type { ClaimAnswer, ExecutionClient } from "./execution-client.ts";
import { type HeldTry, holdTry } from "./held-try.ts";
import { reasonOfForcedEnd, stateRequestOf, type TryEnd } from "./outcome.ts";
import { PoolClosedError, type ProcessPool } from "./process-pool.ts";
import { reportEnd } from "./report-end.ts";
import { type SupervisedEnd, superviseTry } from "./supervise-try.ts";
import { createSupervisorLog, type SupervisorLog } from "./supervisor-log.ts";
import type { TaskProcess } from "./task-process-handle.ts";
import type { WorkerMetrics } from "./worker-metrics.ts";

export interface TryRunnerOptions {
  readonly config: Config;
  readonly client: ExecutionClient;
  readonly pool: ProcessPool;
  readonly artefacts: ArtefactCache;
  readonly metrics: WorkerMetrics;
  readonly logger: Logger;
  readonly clock: Clock;
  /** Aborts when the worker can't wait for its tries any longer. */
  readonly shutdown: AbortSignal;
}

export interface TryRunner {
  /** Resolves when the try has ended and the server knows it. */
  run(message: TaskMessage): Promise<void>;
  running(): number;
  /** Resolves when no try of those that run now is left. */
  idle(): Promise<void>;
}

type Claim = Extract<ClaimAnswer, { kind: "claimed" }> & {
  readonly pid: number;
  /** When the call was sent that took the try. */
  readonly sentAt: number;
};

interface Work {
  readonly message: TaskMessage;
  readonly claimed: Claim;
  readonly held: HeldTry;
  readonly log: SupervisorLog;
}

/** The API is given so long to come back before a message is dropped. */
const CLAIM_PAUSES_MS = [50, 200, 500, 1000, 2000];

export function createTryRunner(options: TryRunnerOptions): TryRunner {
  const { config, client, pool, artefacts, metrics, logger, clock, shutdown } = options;
  const unixname = userName();
  const running = new Set<Promise<void>>();

  async function claim(message: TaskMessage, pid: number): Promise<Claim | null> {
    for (let attempt = 0; ; attempt += 1) {
      const sentAt = clock.now();
      const answer = await client.claim(message.ti_id, message.token, {
        state: "running",
        hostname: config.instanceName,
        unixname,
        pid,
        start_date: new Date(sentAt).toISOString(),
      });
      metrics.claimed(clock.now() - sentAt);
      if (answer.kind === "claimed") return { ...answer, pid, sentAt };
      const pauseMs = CLAIM_PAUSES_MS[attempt];
      if (answer.kind === "refused" || pauseMs === undefined || shutdown.aborted) {
        logger.info({ ...idsOf(message), reason: answer.reason }, "a message was dropped: its try can't be claimed");
        return null;
      }
      await clock.sleep(pauseMs, shutdown);
    }
  }

  /** The DAG may have been saved anew between offer and claim: then another process is the right one. */
  async function matchProcess(process: TaskProcess, { run }: Claim): Promise<TaskProcess> {
    const { artefact_hash, isolation } = run.updraft;
    if (artefact_hash === process.artefactHash) return process;
    pool.release(process);
    return pool.acquire(artefact_hash, isolation);
  }

  async function runClaimed(message: TaskMessage, firstProcess: TaskProcess, claimed: Claim): Promise<void> {
    const { pid, token, sentAt: claimedAt } = claimed;
    const held = holdTry({ client, clock, config, tiId: message.ti_id, pid, token, claimedAt });
    const log = createSupervisorLog(logPathOf(config, message), clock, logger);
    try {
      const ended = await runIn(await matchProcess(firstProcess, claimed), { message, claimed, held, log });
      if (ended.kind === "lost") {
        log.write("warning", `The try was stopped: this worker holds it no longer (${ended.reason})`);
        logger.warn({ ...idsOf(message), reason: ended.reason }, "a running try was lost and stopped");
        return;
      }
      metrics.started(ended.handlerStartedAt, claimedAt);
      await finish(ended.end, { message, claimed, held, log });
    } catch (error) {
      const reason = error instanceof Error ? error.message : String(error);
      await finish({ kind: "broken", reason }, { message, claimed, held, log });
    } finally {
      held.letGo();
      log.close();
    }
  }

  async function runIn(process: TaskProcess, { message, claimed, held, log }: Work): Promise<SupervisedEnd> {
    const { run } = claimed;
    try {
      const artefactPath = await artefacts.pathOf(run.updraft.artefact_hash, held.token());
      held.runsIn(process);
      return await superviseTry({
        process,
        assignment: assignmentOf({ config, message, run, token: held.token(), artefactPath }),
        limits: { max_tries: config.taskProcessMaxTries, max_growth_bytes: config.taskProcessMaxGrowthBytes },
        leaseUntil: held.leaseUntil(),
        listener: log.listenerFor(process),
        executionTimeout: run.updraft.execution_timeout,
        leaseLost: held.leaseLost,
        shutdown,
        clock,
      });
    } finally {
      // Output that is still on its way belongs to the try until its process says that it is ready.
      log.keepOpenUntil(process.ready.then(() => process.release()));
      pool.release(process);
    }
  }

  async function finish(end: TryEnd, { message, claimed, held, log }: Work): Promise<void> {
    if (end.kind !== "outcome") log.write("error", `Task failed: ${reasonOfForcedEnd(end)}`);
    const request = stateRequestOf(end, {
      endDate: new Date(clock.now()).toISOString(),
      shouldRetry: claimed.run.should_retry,
      pushReturnValue: claimed.run.updraft.do_xcom_push,
    });
    metrics.ended(request.state, clock.now() - claimed.sentAt);
    const { token, leaseLost } = held;
    const reportedAt = clock.now();
    const problem = await reportEnd({ client, tiId: message.ti_id, token, request, clock, shutdown, leaseLost });
    metrics.reported(clock.now() - reportedAt);
    if (problem !== null) logger.warn({ ...idsOf(message), reason: problem }, "the end of a try was not accepted");
  }

  async function runMessage(message: TaskMessage): Promise<void> {
    const process = await pool.acquire(message.artefact_hash, message.isolation);
    const claimed = await claim(message, process.pid).catch((error: unknown) => {
      pool.release(process);
      throw error;
    });
    if (claimed === null) pool.release(process);
    else await runClaimed(message, process, claimed);
  }

  return {
    run(message) {
      const done = runMessage(message)
        .catch((error: unknown) => {
          // What was not claimed is offered again; who closes the pool knows what it does.
          if (!(error instanceof PoolClosedError)) throw error;
        })
        .finally(() => running.delete(done));
      running.add(done);
      return done;
    },
    running: () => running.size,
    async idle() {
      await Promise.allSettled(running);
    },
  };
}

function idsOf({ dag_id, run_id, task_id, map_index, try_number }: TaskMessage) {
  return { dag_id, run_id, task_id, map_index, try_number };
}
