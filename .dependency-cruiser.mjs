/** The arrows of the house: who may import whom. ARCHITECTURE.md tells why. */

/** Modules of Node itself, and what the pure packages may not touch. */
const PURE = "^packages/(dag-core|prometheus-text)/src";

function onlyIn(name, library, rooms) {
  return {
    name,
    comment: `${library} is known in one room only.`,
    severity: "error",
    from: { path: "^(apps|packages)/[^/]+/src", pathNot: rooms },
    to: { path: `node_modules/(${library})(/|$)` },
  };
}

export default {
  forbidden: [
    {
      name: "no-circles",
      severity: "error",
      from: {},
      to: { circular: true, viaOnly: { dependencyTypesNot: ["type-only"] } },
    },
    { name: "packages-never-import-apps", severity: "error", from: { path: "^packages/" }, to: { path: "^apps/" } },
    {
      name: "apps-are-wired-by-cli-alone",
      severity: "error",
      from: { path: "^apps/([^/]+)/", pathNot: "^apps/cli/" },
      to: { path: "^apps/", pathNot: "^apps/$1/" },
    },
    { name: "pure-packages-know-no-node", severity: "error", from: { path: PURE }, to: { dependencyTypes: ["core"] } },
    {
      name: "dag-core-imports-nothing",
      severity: "error",
      from: { path: "^packages/dag-core/src" },
      to: { pathNot: "^packages/dag-core/src" },
    },
    {
      name: "prometheus-text-imports-nothing",
      severity: "error",
      from: { path: "^packages/prometheus-text/src" },
      to: { pathNot: "^packages/prometheus-text/src" },
    },
    {
      name: "user-code-and-workers-have-no-database",
      severity: "error",
      from: { path: "^(apps/(worker|triggerer)|packages/(sdk|providers|execution-client))/src" },
      to: { path: "^packages/metadata-store/" },
    },
    {
      name: "ui-imports-types-only",
      severity: "error",
      from: { path: "^apps/web-ui/src" },
      to: { path: "^packages/", dependencyTypesNot: ["type-only"] },
    },
    {
      name: "tests-only",
      severity: "error",
      from: { path: "/src/", pathNot: "^packages/testkit/" },
      to: { path: "^packages/testkit/" },
    },
    onlyIn("pg-in-metadata-store", "pg", "^packages/(metadata-store|testkit)/"),
    onlyIn("queue-libraries-in-task-queue", "bullmq|ioredis", "^packages/task-queue/"),
    onlyIn("kafka-in-providers", "@platformatic/kafka", "^packages/providers/"),
    onlyIn("express-in-api-server", "express", "^apps/api-server/"),
    { name: "resolvable", severity: "error", from: {}, to: { couldNotResolve: true } },
  ],
  options: {
    doNotFollow: { path: "node_modules" },
    exclude: { path: "(/dist/|\\.turbo/|/test/)" },
    tsPreCompilationDeps: true,
    combinedDependencies: true,
    enhancedResolveOptions: {
      exportsFields: ["exports"],
      conditionNames: ["import", "node", "types"],
      extensions: [".ts", ".tsx", ".mjs", ".js", ".json"],
    },
  },
};
