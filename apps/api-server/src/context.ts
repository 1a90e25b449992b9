/** What the routers share. */
import type { LiveEvent, ServiceState } from "@updraft/contract";
import type { Announcer, MetadataStore } from "@updraft/metadata-store";
import type { Clock, Config, Environment, Ids, Logger, Metrics, TaskTokens } from "@updraft/service-kit";
import type { UserTokens } from "./auth/user-tokens.ts";
import type { LogReader } from "./task-logs/log-reader.ts";

/** Live events of the whole installation, as the store's listener hears them. */
export interface EventSource {
  /** Returns how to stop listening. */
  subscribe(listener: (events: readonly LiveEvent[]) => void): () => void;
}

export interface ApiContext {
  readonly config: Config;
  readonly logger: Logger;
  readonly clock: Clock;
  readonly ids: Ids;
  readonly metrics: Metrics;
  readonly store: MetadataStore;
  readonly announcer: Announcer;
  readonly events: EventSource;
  readonly logs: LogReader;
  readonly userTokens: UserTokens;
  readonly taskTokens: TaskTokens;
  readonly services: () => readonly ServiceState[];
  readonly registries: readonly Metrics["registry"][];
  /** Where `AIRFLOW_CONN_*` and `AIRFLOW_VAR_*` are looked up. */
  readonly environment: Environment;
  /** Aborts when the server stops: long answers end. */
  readonly stopping: AbortSignal;
}
