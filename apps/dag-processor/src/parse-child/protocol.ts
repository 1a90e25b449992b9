/** What the dag-processor and its parse child say to each other. */
import type { SerializedBundle, SerializeOptions } from "@updraft/sdk/host";

export interface ParseRequest {
  readonly artefact_path: string;
  readonly options: SerializeOptions;
}

export type ParseAnswer =
  | ({ readonly kind: "parsed" } & SerializedBundle)
  /** The module hands over nothing. `exports` tells a module of helpers from a forgotten `serve()`. */
  | { readonly kind: "no_bundle"; readonly exports: readonly string[]; readonly message: string }
  | { readonly kind: "failed"; readonly stack_trace: string };

/** `littered`: the file left something running, so the child reads no other. */
export interface ParseReply {
  readonly answer: ParseAnswer;
  readonly littered: boolean;
}
