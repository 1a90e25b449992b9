/**
 * Loading a DAG file: which modules its imports of the SDK mean, and how its bundle reaches the loading process.
 *
 * An artefact may lie anywhere, so its imports are resolved from here; thereby the file and its host share one SDK.
 */
import { registerHooks } from "node:module";
import { Bundle, isBundle } from "./bundle.ts";
import { isDag } from "./dag.ts";
import { describeValue } from "./json.ts";
import { receiveBundles } from "./serve-port.ts";
import { forgetTriggerNames } from "./triggers.ts";

const OWN_MODULES: ReadonlyMap<string, string> = new Map([
  ["@updraft/sdk", "./index.ts"],
  ["@updraft/sdk/airflow", "./airflow.ts"],
  ["@apache-airflow/ts-sdk", "./airflow.ts"],
  ["apache-airflow-ts-sdk", "./airflow.ts"],
  ["@updraft/sdk/hitl", "./hitl.ts"],
  ["@apache-airflow/ts-sdk/hitl", "./hitl.ts"],
  ["apache-airflow-ts-sdk/hitl", "./hitl.ts"],
]);
const UNSUPPORTED = /^(?:@apache-airflow\/ts-sdk|apache-airflow-ts-sdk|@updraft\/sdk)\/coordinator$/;

/** Specifiers that stay imports in an artefact: the product's own modules and Airflow's names for the SDK. */
export const EXTERNAL_SPECIFIERS = [
  "@updraft/*",
  "@apache-airflow/ts-sdk",
  "@apache-airflow/ts-sdk/*",
  "apache-airflow-ts-sdk",
  "apache-airflow-ts-sdk/*",
] as const;

let resolverInstalled = false;

/** Lets artefacts import the SDK and the providers from wherever they lie, and maps their lines to the author's. */
export function installSdkResolver(): void {
  if (resolverInstalled) return;
  resolverInstalled = true;
  process.setSourceMapsEnabled(true);
  registerHooks({
    resolve: (specifier, context, nextResolve) => {
      const own = OWN_MODULES.get(specifier);
      if (own !== undefined)
        return { url: new URL(own, import.meta.url).href, format: "module-typescript", shortCircuit: true };
      if (UNSUPPORTED.test(specifier))
        throw new Error(`"${specifier}" is not supported yet by this version of Updraft`);
      if (specifier.startsWith("@updraft/")) return nextResolve(specifier, { ...context, parentURL: import.meta.url });
      return nextResolve(specifier, context);
    },
  });
}

/** The file handed nothing over. `exports` tells a forgotten `serve()` from a module of helpers. */
export class NoBundleError extends Error {
  override readonly name = "NoBundleError";
  readonly exports: readonly string[];

  constructor(exports: readonly string[]) {
    super("The file hands over no Dag: end it with `await new Bundle(dag).serve()`, or `export default dag`");
    this.exports = exports;
  }
}

/** Imports the module at `fileUrl` and returns what it serves, or its default export. One load at a time. */
export async function loadBundle(fileUrl: string): Promise<Bundle> {
  let served: Bundle | null = null;
  forgetTriggerNames();
  receiveBundles((bundle) => {
    if (served !== null) throw new Error("bundle.serve() was called twice; register all Dags of a file in one Bundle");
    served = bundle;
  });
  try {
    const module: Record<string, unknown> = await import(fileUrl);
    return served ?? bundleOfExports(module);
  } finally {
    receiveBundles(null);
  }
}

function bundleOfExports(module: Record<string, unknown>): Bundle {
  const exported = module.default;
  if (exported === undefined) throw new NoBundleError(Object.keys(module));
  if (isBundle(exported)) return exported;
  if (isDag(exported)) return new Bundle(exported);
  if (Array.isArray(exported) && exported.every(isDag)) return new Bundle(...exported);
  throw new Error(`The default export of a Dag file must be a Dag or a Bundle, not ${describeValue(exported)}`);
}
