/** `getClient().assetStateStore`: values that belong to an asset and outlive every run. */
import { type Asset, type AssetRef, referenceOf } from "./asset.ts";
import { describeValue, type JsonValue, jsonRoundTrip } from "./json.ts";
import type { AssetLocator, RawClient } from "./raw-client.ts";
import { assertKey } from "./state-key.ts";

/** The values of one asset. */
export interface AssetStateStore {
  get<T = JsonValue>(key: string): Promise<T | null>;
  set(key: string, value: unknown): Promise<void>;
  delete(key: string): Promise<void>;
  clear(): Promise<void>;
}

export interface AssetStateStores {
  forAsset(asset: Asset | AssetRef): AssetStateStore;
}

/** `client` is asked for at each call, as it ends with its try. */
export function createAssetStateStores(client: () => RawClient): AssetStateStores {
  return {
    forAsset(asset) {
      const locator = locatorOf(asset);
      return {
        // The author names the type of what was stored; the wire carries any JSON.
        get: async <T>(key: string) => (await client().getAssetState(locator, assertKey(key))) as T | null,
        set: async (key, value) => {
          assertKey(key);
          if (value === null || value === undefined)
            throw new TypeError(`The state "${key}" can't be ${String(value)}; use delete("${key}")`);
          await client().setAssetState(locator, key, jsonRoundTrip(value, `State "${key}"`));
        },
        delete: async (key) => client().deleteAssetState(locator, assertKey(key)),
        clear: async () => client().clearAssetState(locator),
      };
    },
  };
}

function locatorOf(asset: unknown): AssetLocator {
  const reference = referenceOf(asset);
  if (reference === null || reference.kind === "alias")
    throw new TypeError(
      `forAsset takes an Asset, Asset.ref({ name }) or Asset.ref({ uri }), not ${describeValue(asset)}`,
    );
  return reference.kind === "uri_ref" ? { uri: reference.uri } : { name: reference.name };
}
