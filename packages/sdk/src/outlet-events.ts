/** What a running task says about the events that its success makes. */
import type { JsonValue, OutletEvent as SaidEvent } from "@updraft/dag-core";
import { Asset, type AssetAlias, type AssetRef, referenceOf } from "./asset.ts";
import { describeValue, jsonRoundTrip } from "./json.ts";

type Extra = Readonly<Record<string, JsonValue>>;

/** The event of an asset among the outlets. */
export interface OutletEvent {
  /** Travels with the event; a later value replaces an earlier one. */
  extra: Extra;
}

/** Events through an alias among the outlets. */
export interface OutletEventAlias {
  /** Writes an event of an asset, which need not be declared anywhere. */
  add(asset: Asset, extra?: Extra): void;
}

/** `getContext().outletEvents`. */
export interface OutletEvents {
  of(outlet: AssetAlias): OutletEventAlias;
  of(outlet: Asset | AssetRef): OutletEvent;
}

/** Keeps what a try says until it ends; only a success tells it. */
export class OutletEventRecorder {
  readonly #extras = new Map<string, { name: string; uri: string; extra: Extra }>();
  readonly #added: SaidEvent[] = [];

  readonly events: OutletEvents = Object.freeze({
    // The overloads are told apart by the kind of the outlet.
    of: ((outlet: unknown) => this.#of(outlet)) as OutletEvents["of"],
  });

  /** In the order said. */
  said(): SaidEvent[] {
    const direct = [...this.#extras.values()].map(({ name, uri, extra }) => ({
      asset: { name, uri },
      extra,
      alias: null,
    }));
    return [...direct, ...this.#added];
  }

  #of(outlet: unknown): OutletEvent | OutletEventAlias {
    const reference = referenceOf(outlet);
    if (reference === null) throw new TypeError(`outletEvents.of takes an outlet, not ${describeValue(outlet)}`);
    if (reference.kind === "alias") return { add: (asset, extra = {}) => this.#add(reference.name, asset, extra) };
    const name = reference.kind === "uri_ref" ? "" : reference.name;
    const uri = reference.kind === "name_ref" ? "" : reference.uri;
    const key = JSON.stringify([name, uri]);
    const extras = this.#extras;
    return {
      get extra() {
        return extras.get(key)?.extra ?? {};
      },
      set extra(extra: Extra) {
        extras.set(key, { name, uri, extra: asExtra(extra) });
      },
    };
  }

  #add(alias: string, asset: Asset, extra: Extra): void {
    if (!(asset instanceof Asset)) throw new TypeError(`An alias takes an Asset, not ${describeValue(asset)}`);
    this.#added.push({ asset: { name: asset.name, uri: asset.uri }, extra: asExtra(extra), alias });
  }
}

function asExtra(extra: unknown): Extra {
  const value = jsonRoundTrip(extra, "The extra of an asset event");
  if (typeof value !== "object" || value === null || Array.isArray(value))
    throw new TypeError(`The extra of an asset event must be an object, not ${describeValue(extra)}`);
  return value;
}
