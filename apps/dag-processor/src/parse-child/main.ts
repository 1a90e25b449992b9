/** The parse child: loads one artefact at a time and answers with the canonical form of its DAGs. It runs users' code. */
import { pathToFileURL } from "node:url";
import { authorTrace, installSdkResolver, loadBundle, NoBundleError, serializeBundle } from "@updraft/sdk/host";
import { countOpenHandles, newOpenHandles } from "@updraft/service-kit/open-handles";
import type { ParseAnswer, ParseReply, ParseRequest } from "./protocol.ts";

installSdkResolver();
const send = process.send?.bind(process);
// A library of the author's that sees a channel may speak on it; this one belongs to the dag-processor.
delete process.send;
process.on("message", (message) => void answer(message as ParseRequest));
process.on("disconnect", () => process.kill(-process.pid, "SIGKILL"));
// What a file starts and doesn't wait for is no part of reading it; the child is not used again after such a file.
let failedLate = false;
process.on("unhandledRejection", () => {
  failedLate = true;
});
// Node opens these two when they are first looked at; they are not what a file left behind.
void [process.stdout, process.stderr];
const handlesAtStart = countOpenHandles();

async function answer(request: ParseRequest): Promise<void> {
  const parsed = await parse(request);
  const reply: ParseReply = { answer: parsed, littered: failedLate || newOpenHandles(handlesAtStart).length > 0 };
  send?.(reply);
}

async function parse({ artefact_path, options }: ParseRequest): Promise<ParseAnswer> {
  try {
    const bundle = await loadBundle(pathToFileURL(artefact_path).href);
    return { kind: "parsed", ...serializeBundle(bundle, options) };
  } catch (error) {
    if (error instanceof NoBundleError) return { kind: "no_bundle", exports: error.exports, message: error.message };
    return { kind: "failed", stack_trace: authorTrace(error) };
  }
}
