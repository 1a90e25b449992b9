/** Health, version and login. */
import { z } from "zod";

const status = z.enum(["healthy", "unhealthy"]).nullable();

export const healthResponse = z.strictObject({
  metadatabase: z.strictObject({ status }),
  scheduler: z.strictObject({ status, latest_scheduler_heartbeat: z.string().nullable() }),
  triggerer: z.strictObject({ status, latest_triggerer_heartbeat: z.string().nullable() }),
  dag_processor: z.strictObject({ status, latest_dag_processor_heartbeat: z.string().nullable() }),
});
export type HealthResponse = z.infer<typeof healthResponse>;

export const versionResponse = z.strictObject({ version: z.string(), git_version: z.string().nullable() });

export const loginBody = z.strictObject({ username: z.string().max(250), password: z.string().max(1000) });
export const loginResponse = z.strictObject({ access_token: z.string() });
