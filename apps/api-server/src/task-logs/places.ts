/** Where a log is looked for: the shared folder first, then the worker that ran the try. */
import type { MetadataStore } from "@updraft/metadata-store";
import type { Clock, Config } from "@updraft/service-kit";
import type { LogReader } from "./log-reader.ts";
import { localLogPath, openLocalLog } from "./shared-folder.ts";
import { openWorkerLog } from "./worker-log.ts";

export interface LogReaderOptions {
  readonly config: Pick<Config, "logsFolder" | "logServerSecret">;
  readonly store: Pick<MetadataStore, "listJobs">;
  readonly clock: Clock;
}

/** Workers looked through for a host name, those with the newest heartbeat first. */
const MOST_WORKERS = 1000;

export function createLogReader({ config, store, clock }: LogReaderOptions): LogReader {
  const { logsFolder, logServerSecret: secret } = config;

  async function logServerOf(hostname: string): Promise<string | null> {
    const page = { limit: MOST_WORKERS, offset: 0, order_by: ["-latest_heartbeat"] };
    const { rows } = await store.listJobs({ job_type: "WorkerJob" }, page);
    return rows.find((job) => job.hostname === hostname && job.log_server_url !== null)?.log_server_url ?? null;
  }

  return {
    localPath: (key) => localLogPath(logsFolder, key),
    async open(key, hostname) {
      const local = await openLocalLog(logsFolder, key);
      if (local !== null || hostname === null || secret === "") return local;
      const serverUrl = await logServerOf(hostname);
      return serverUrl === null ? null : openWorkerLog({ serverUrl, secret, clock }, key);
    },
  };
}
