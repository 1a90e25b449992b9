/** Opens the store: one pool of connections, the schema brought up to date. */
import type { Clock, Ids, Logger } from "@updraft/service-kit";
import { assetStore } from "./assets/asset-store.ts";
import { backfillStore } from "./backfill-store.ts";
import { controlStore } from "./control-store.ts";
import { dagFileStore } from "./dag-files.ts";
import { DagPlans } from "./dag-plan.ts";
import { openDatabase } from "./database.ts";
import { deadlineStore } from "./deadline-store.ts";
import type { Engine } from "./engine/context.ts";
import { triggererStore } from "./engine/hosted-triggers.ts";
import { migrate } from "./migrate.ts";
import { poolStore } from "./pools.ts";
import { blockingReasons } from "./reads/blocking.ts";
import { dagReads } from "./reads/dags.ts";
import { eventLogReads } from "./reads/event-logs.ts";
import { listHitlDetails } from "./reads/hitl-details.ts";
import { runReads } from "./reads/runs.ts";
import { list, orderBy, Where } from "./reads/where.ts";
import { cleanStore } from "./retention.ts";
import { schedulerStore } from "./scheduler-store.ts";
import type { JobRow, MetadataStore, ReadStore, UserRow } from "./store.ts";
import { workerStore } from "./worker-store.ts";

export interface StoreOptions {
  readonly databaseUrl: string;
  readonly logger: Logger;
  readonly clock: Clock;
  readonly ids: Ids;
  /** Tries queued or running in the whole installation. */
  readonly parallelism: number;
  readonly dagsArePausedAtCreation?: boolean;
  /** Unfinished runs move to the newest version of their DAG whenever it changes. */
  readonly disableBundleVersioning?: boolean;
  /** Null: as the DAG says, else clearing stays on the run's version. */
  readonly rerunWithLatestVersion?: boolean | null;
  /** The most instances of one mapped task or group. */
  readonly maxMapLength?: number;
}

const DEFAULT_MAX_MAP_LENGTH = 100_000;

/** Throws `StoreUnavailableError` where the database does not answer. Changes nothing. */
export async function checkDatabase({
  databaseUrl,
  logger,
}: Pick<StoreOptions, "databaseUrl" | "logger">): Promise<void> {
  const db = openDatabase(databaseUrl, logger);
  try {
    await db.rows({ text: "SELECT 1" });
  } finally {
    await db.close();
  }
}

/** Throws `StoreUnavailableError` or `SchemaTooNewError`. */
export async function openMetadataStore(options: StoreOptions): Promise<MetadataStore> {
  const { databaseUrl, logger, clock, ids, parallelism, maxMapLength = DEFAULT_MAX_MAP_LENGTH } = options;
  const { dagsArePausedAtCreation = true, disableBundleVersioning = false, rerunWithLatestVersion = null } = options;
  const db = openDatabase(databaseUrl, logger);
  const plans = new DagPlans();
  const engine: Engine = { db, plans, clock, ids, parallelism, maxMapLength, rerunWithLatestVersion };
  try {
    await migrate(db);
  } catch (error) {
    await db.close();
    throw error;
  }
  return {
    ...workerStore(engine),
    ...triggererStore(engine),
    ...controlStore(engine),
    ...backfillStore(engine),
    ...deadlineStore(engine),
    ...dagFileStore(engine, { dagsArePausedAtCreation, disableBundleVersioning }),
    ...schedulerStore(engine),
    ...assetStore(engine),
    ...dagReads(db),
    ...runReads(db),
    ...poolStore(engine),
    ...cleanStore(db),
    ...eventLogReads(db),
    ...otherReads(engine),
    close: () => db.close(),
  };
}

function otherReads(
  engine: Engine,
): Pick<ReadStore, "ping" | "blockingReasons" | "listHitlDetails" | "getUser" | "listJobs"> {
  const { db } = engine;
  return {
    async ping() {
      await db.rows({ text: "SELECT 1" });
    },
    listHitlDetails: listHitlDetails(db),
    blockingReasons: (address) => blockingReasons(engine, address),
    async getUser(username) {
      const [row] = await db.rows<UserRow>({
        text: "SELECT * FROM user_account WHERE username = $1",
        values: [username],
      });
      return row ?? null;
    },
    listJobs: ({ job_type, is_alive }, page) =>
      list<JobRow>(db, {
        columns: "id, job_type, state, hostname, unixname, start_date, end_date, latest_heartbeat, log_server_url",
        from: "job",
        where: new Where()
          .and("job_type = ?", job_type)
          .and("(state = 'running' AND latest_heartbeat > clock_timestamp() - interval '30 seconds') = ?", is_alive),
        order: orderBy(
          page,
          {
            id: "id",
            latest_heartbeat: "latest_heartbeat",
            start_date: "start_date",
            job_type: "job_type",
            hostname: "hostname",
          },
          "latest_heartbeat DESC, id",
        ),
        page,
      }),
  };
}
