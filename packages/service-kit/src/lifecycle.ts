/**
 * Start and stop of a role.
 */
import type { Logger } from "./logger.ts";

/** Something that runs until it is stopped. `stop` finishes or hands back what is in hand, and may be called twice. */
export interface Service {
  stop(): Promise<void>;
}

/** Stops services one after the other, last started first; one that fails doesn't keep the others. */
export async function stopAll(services: readonly Service[], logger: Logger): Promise<void> {
  for (const service of services.toReversed()) {
    await service.stop().catch((error: unknown) => logger.error({ err: error }, "a service failed to stop"));
  }
}

/** Runs `stop` once at SIGTERM or SIGINT, then lets the process end. For `main.ts` of separate roles. */
export function stopOnSignal(stop: () => Promise<void>, logger: Logger): void {
  let stopping = false;
  const onSignal = (signal: NodeJS.Signals) => {
    if (stopping) return;
    stopping = true;
    logger.info({ signal }, "stopping");
    stop().then(
      () => process.exit(0),
      (error: unknown) => {
        logger.error({ err: error }, "stopping failed");
        process.exit(1);
      },
    );
  };
  process.on("SIGTERM", onSignal);
  process.on("SIGINT", onSignal);
}
