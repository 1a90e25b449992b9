/** What a worker counts, in Airflow's words where it has them. */
import type { Metrics } from "@updraft/service-kit";
import type { PoolSizes } from "./process-pool.ts";

export interface WorkerMetrics {
  /** A message came to this worker so long after it was offered. */
  taken(ageMs: number): void;
  /** How long the calls took by which the try began and ended. */
  claimed(durationMs: number): void;
  reported(durationMs: number): void;
  /** Instants in milliseconds; the handler's is null if it was never called. */
  started(handlerStartedAt: number | null, claimedAt: number): void;
  ended(state: string, durationMs: number): void;
  sizes(running: number, pool: PoolSizes): void;
}

export function createWorkerMetrics(metrics: Metrics): WorkerMetrics {
  const startDelay = metrics.duration("airflow_task_start_delay_seconds", "From claiming a try to calling its handler");
  const age = metrics.duration(
    "airflow_worker_message_age_seconds",
    "From offering a try to the worker's taking its message",
  );
  const claim = metrics.duration("airflow_worker_claim_seconds", "Time of the call that claims a try");
  const report = metrics.duration(
    "airflow_worker_report_seconds",
    "Time of the call that ends a try and queues what follows",
  );
  const duration = metrics.duration("airflow_task_duration_seconds", "From claiming a try to its end", ["state"]);
  const finished = metrics.counter("airflow_ti_finish_total", "Tries that ended, by the state reported", ["state"]);
  const running = metrics.gauge("airflow_worker_running_tries", "Tries that hold a slot of this worker");
  const processes = metrics.gauge("airflow_worker_task_processes", "Task processes by state", ["state"]);

  return {
    taken: (ageMs) => age.observe(Math.max(0, ageMs) / 1000),
    claimed: (durationMs) => claim.observe(durationMs / 1000),
    reported: (durationMs) => report.observe(durationMs / 1000),
    started(handlerStartedAt, claimedAt) {
      if (handlerStartedAt !== null) startDelay.observe(Math.max(0, handlerStartedAt - claimedAt) / 1000);
    },
    ended(state, durationMs) {
      finished.inc({ state });
      duration.observe({ state }, durationMs / 1000);
    },
    sizes(count, { idle, busy, booting }) {
      running.set(count);
      for (const [state, size] of Object.entries({ idle, busy, booting })) processes.set({ state }, size);
    },
  };
}
