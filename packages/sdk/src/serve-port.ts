/** The seam between a file's `bundle.serve()` and the process that loads the file. */
import type { Bundle } from "./bundle.ts";

let receive: ((bundle: Bundle) => void) | null = null;

/** Takes the bundle that the file being loaded serves. */
export function receiveBundles(receiver: ((bundle: Bundle) => void) | null): void {
  receive = receiver;
}

export function handOver(bundle: Bundle): void {
  if (receive === null) {
    throw new Error("bundle.serve() found nobody to serve: put the file into the DAGs folder and let Updraft load it");
  }
  receive(bundle);
}
