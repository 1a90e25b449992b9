/** `getContext().inletEvents`: what happened to the assets that a task reads. */
import type { JsonValue } from "@updraft/dag-core";
import { type Asset, type AssetAlias, type AssetRef, referenceOf } from "./asset.ts";
import { describeValue } from "./json.ts";
import type { AssetEventLocator, RawAssetEvent, RawClient } from "./raw-client.ts";

/** An event of an asset. */
export interface AssetEvent {
  readonly asset: { readonly name: string; readonly uri: string };
  readonly extra: Readonly<Record<string, JsonValue>>;
  readonly timestamp: Date;
  /** All null for an event that no task wrote. */
  readonly sourceDagId: string | null;
  readonly sourceRunId: string | null;
  readonly sourceTaskId: string | null;
  readonly sourceMapIndex: number | null;
  readonly partitionKey: string | null;
}

export interface InletEventsOptions {
  /** From this instant on. */
  readonly after?: Date | undefined;
  /** Up to this instant. */
  readonly before?: Date | undefined;
  /** False: the newest first. */
  readonly ascending?: boolean | undefined;
  readonly limit?: number | undefined;
}

export interface InletEvents {
  /** Events of an asset, or of all assets that have had events through an alias; oldest first. */
  of(inlet: Asset | AssetRef | AssetAlias, options?: InletEventsOptions): Promise<readonly AssetEvent[]>;
}

/** `client` is asked for at each call, as it ends with its try. */
export function createInletEvents(client: () => RawClient): InletEvents {
  return Object.freeze({
    of: async (inlet: unknown, { after, before, ascending = true, limit }: InletEventsOptions = {}) => {
      const found = await client().getAssetEvents(locatorOf(inlet), {
        after: instantOf("after", after),
        before: instantOf("before", before),
        ascending,
        limit: limit ?? null,
      });
      return Object.freeze(found.map(toAssetEvent));
    },
  });
}

/** What an event says, whichever way it came to the task. */
export function toAssetEvent(event: RawAssetEvent): AssetEvent {
  const { name, uri } = event.asset;
  return Object.freeze({
    asset: { name, uri },
    extra: event.extra ?? {},
    timestamp: new Date(event.timestamp),
    sourceDagId: event.source_dag_id,
    sourceRunId: event.source_run_id,
    sourceTaskId: event.source_task_id,
    sourceMapIndex: event.source_map_index,
    partitionKey: event.partition_key ?? null,
  });
}

function locatorOf(inlet: unknown): AssetEventLocator {
  const reference = referenceOf(inlet);
  switch (reference?.kind) {
    case "asset":
      return { name: reference.name, uri: reference.uri };
    case "alias":
      return { alias: reference.name };
    case "name_ref":
      return { name: reference.name };
    case "uri_ref":
      return { uri: reference.uri };
    default:
      throw new TypeError(`inletEvents.of takes an inlet, not ${describeValue(inlet)}`);
  }
}

function instantOf(option: string, value: unknown): string | null {
  if (value === undefined) return null;
  if (value instanceof Date && !Number.isNaN(value.getTime())) return value.toISOString();
  throw new TypeError(`${option} of inletEvents must be a valid Date, not ${describeValue(value)}`);
}
