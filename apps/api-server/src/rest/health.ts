/** Whether the parts of the installation live, by their heartbeats. */
import type { HealthResponse } from "@updraft/contract";
import type { Instant } from "@updraft/dag-core";
import type { ApiContext } from "../context.ts";
import { iso } from "../http/iso.ts";

/** Airflow's `scheduler_health_check_threshold`. */
const THRESHOLD_MS = 30_000;

export async function healthOf({ store, clock }: ApiContext): Promise<HealthResponse> {
  async function newestHeartbeat(job_type: string): Promise<Instant | null> {
    const { rows } = await store.listJobs({ job_type }, { limit: 1, offset: 0, order_by: ["-latest_heartbeat"] });
    return rows[0]?.latest_heartbeat ?? null;
  }
  const statusOf = (heartbeat: Instant | null) =>
    heartbeat !== null && clock.now() - heartbeat < THRESHOLD_MS ? ("healthy" as const) : ("unhealthy" as const);

  const beats = await Promise.all([
    newestHeartbeat("SchedulerJob"),
    newestHeartbeat("DagProcessorJob"),
    newestHeartbeat("TriggererJob"),
  ]).catch(() => null);
  const [scheduler, dagProcessor, triggerer] = beats ?? [null, null, null];
  return {
    metadatabase: { status: beats === null ? "unhealthy" : "healthy" },
    scheduler: { status: statusOf(scheduler), latest_scheduler_heartbeat: iso(scheduler) },
    triggerer: { status: statusOf(triggerer), latest_triggerer_heartbeat: iso(triggerer) },
    dag_processor: { status: statusOf(dagProcessor), latest_dag_processor_heartbeat: iso(dagProcessor) },
  };
}
