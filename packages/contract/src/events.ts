/**
 * Live events: what changed, after it was committed. They travel from every role to every api-server (Postgres NOTIFY)
 * and from there to open UIs (SSE, `GET /ui/events`). An event is a hint to look again; it carries enough to patch a
 * list without asking. Losing one is harmless.
 */
export type LiveEvent =
  | { readonly type: "dag"; readonly dag_id: string; readonly is_paused?: boolean; readonly removed?: boolean }
  | { readonly type: "import_error"; readonly filename: string }
  | {
      readonly type: "dag_run";
      readonly dag_id: string;
      readonly run_id: string;
      readonly state: string;
      readonly run_type: string;
      readonly logical_date: string | null;
      readonly start_date: string | null;
      readonly end_date: string | null;
    }
  | {
      readonly type: "task_instance";
      readonly dag_id: string;
      readonly run_id: string;
      readonly task_id: string;
      readonly map_index: number;
      readonly try_number: number;
      readonly state: string | null;
    }
  /** The stream lost events (reconnect, overflow): refetch what is shown. */
  | { readonly type: "resync" };
