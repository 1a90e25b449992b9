/** What the dag-processor and its parse child say to each other. */
import type { SerializedBundle, SerializeOptions } from "@updraft/sdk/host";

export interface ParseRequest {
  readonly id: number;
  readonly artefact_path: string;
  readonly options: SerializeOptions;
}

export type ParseAnswer =
  | ({ readonly id: number; readonly kind: "parsed" } & SerializedBundle)
  /** The module hands over nothing. `exports` tells a module of helpers from a forgotten `serve()`. */
  | { readonly id: number; readonly kind: "no_bundle"; readonly exports: readonly string[]; readonly message: string }
  | { readonly id: number; readonly kind: "failed"; readonly stack_trace: string };
