/** Which events of assets the success of a task makes, from its outlets and from what it said about them. */
import { assertNever } from "../assert.ts";
import { canonicalJson } from "../canonical-json.ts";
import type { AssetIdentity, AssetReference, JsonValue } from "../model.ts";

type Extra = Readonly<Record<string, JsonValue>>;

/** What a task said about an asset: more about the event of an outlet, or an event through one of its aliases. */
export interface OutletEvent {
  readonly asset: AssetIdentity;
  readonly extra: Extra;
  /** Null: the asset is an outlet itself. */
  readonly alias: string | null;
}

export interface OutletEventToWrite {
  /** Null where the outlet refers to the asset by its uri alone. */
  readonly name: string | null;
  /** Null where the outlet refers to the asset by its name alone. */
  readonly uri: string | null;
  readonly extra: Extra;
  readonly aliases: readonly string[];
}

/** One event for each asset among the outlets; those of aliases that say the same about the same asset become one. */
export function eventsOfOutlets(
  outlets: readonly AssetReference[],
  said: readonly OutletEvent[],
): OutletEventToWrite[] {
  const direct = new Map<string, OutletEventToWrite>();
  const aliases = new Set<string>();
  for (const outlet of outlets) {
    if (outlet.kind === "alias") aliases.add(outlet.name);
    else
      direct.set(canonicalJson(identityOf(outlet)), {
        ...identityOf(outlet),
        extra: extraOf(outlet, said),
        aliases: [],
      });
  }
  return [...direct.values(), ...throughAliases(said, aliases)];
}

type Direct = Exclude<AssetReference, { kind: "alias" }>;

function identityOf(outlet: Direct): { name: string | null; uri: string | null } {
  switch (outlet.kind) {
    case "asset":
      return { name: outlet.name, uri: outlet.uri };
    case "name_ref":
      return { name: outlet.name, uri: null };
    case "uri_ref":
      return { name: null, uri: outlet.uri };
    default:
      return assertNever(outlet);
  }
}

function extraOf(outlet: Direct, said: readonly OutletEvent[]): Extra {
  const { name, uri } = identityOf(outlet);
  const about = said.findLast(
    ({ asset, alias }) =>
      alias === null && (name === null || asset.name === name) && (uri === null || asset.uri === uri),
  );
  return about?.extra ?? {};
}

function throughAliases(said: readonly OutletEvent[], declared: ReadonlySet<string>): OutletEventToWrite[] {
  const events = new Map<string, OutletEventToWrite>();
  for (const { asset, extra, alias } of said) {
    if (alias === null || !declared.has(alias)) continue;
    const key = canonicalJson({ asset: { name: asset.name, uri: asset.uri }, extra });
    const aliases = new Set([...(events.get(key)?.aliases ?? []), alias]);
    events.set(key, { name: asset.name, uri: asset.uri, extra, aliases: [...aliases] });
  }
  return [...events.values()];
}
