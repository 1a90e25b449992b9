/** The parse child: loads one artefact at a time and answers with the canonical form of its DAGs. It runs users' code. */
import { pathToFileURL } from "node:url";
import { authorTrace, installSdkResolver, loadBundle, NoBundleError, serializeBundle } from "@updraft/sdk/host";
import type { ParseAnswer, ParseRequest } from "./protocol.ts";

installSdkResolver();
const send = process.send?.bind(process);
// A library of the author's that sees a channel may speak on it; this one belongs to the dag-processor.
delete process.send;
process.on("message", (message) => void answer(message as ParseRequest));
process.on("disconnect", () => process.exit(0));
// What a file leaves running and failing must not take the next file's parse with it.
process.on("unhandledRejection", () => undefined);

async function answer(request: ParseRequest): Promise<void> {
  send?.(await parse(request));
}

async function parse({ id, artefact_path, options }: ParseRequest): Promise<ParseAnswer> {
  try {
    const bundle = await loadBundle(pathToFileURL(artefact_path).href);
    return { id, kind: "parsed", ...serializeBundle(bundle, options) };
  } catch (error) {
    if (error instanceof NoBundleError)
      return { id, kind: "no_bundle", exports: error.exports, message: error.message };
    return { id, kind: "failed", stack_trace: authorTrace(error) };
  }
}
