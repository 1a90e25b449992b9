import { hostname } from "node:os";
import { resolve } from "node:path";
import { describe, expect, it } from "vitest";
import { ConfigError, type Environment, loadConfig, requireSettings } from "../src/index.ts";

function load(env: Environment) {
  const warnings: string[] = [];
  return { config: loadConfig(env, (message) => warnings.push(message)), warnings };
}

function problemsOf(env: Environment): readonly string[] {
  try {
    load(env);
  } catch (error) {
    if (error instanceof ConfigError) return error.problems;
    throw error;
  }
  return [];
}

describe("defaults", () => {
  it("are Airflow's where Airflow has the setting", () => {
    const { config, warnings } = load({});
    expect(config).toMatchObject({
      dagsFolder: resolve("dags"),
      parallelism: 32,
      maxActiveTasksPerDag: 16,
      maxActiveRunsPerDag: 16,
      dagsArePausedAtCreation: true,
      catchupByDefault: false,
      rerunWithLatestVersion: null,
      disableBundleVersioning: false,
      apiHost: "127.0.0.1",
      apiPort: 8080,
      baseUrl: "http://localhost:8080",
      executionApiUrl: "http://127.0.0.1:8080/execution/",
      jwtExpirationSeconds: 86_400,
      workerConcurrency: 16,
      workerQueues: ["default"],
      workerLogServerPort: 8793,
      taskQueuedTimeoutSeconds: 600,
      heartbeatSeconds: 2,
      leaseSeconds: 10,
      logLevel: "info",
      metricsPort: null,
      instanceName: hostname(),
      adminPasswordSet: false,
    });
    expect(warnings).toEqual([]);
  });

  it("follow other settings", () => {
    const { config } = load({ AIRFLOW__API__PORT: "9000", UPDRAFT__CORE__DATA_FOLDER: "/data" });
    expect(config.baseUrl).toBe("http://localhost:9000");
    expect(config.executionApiUrl).toBe("http://127.0.0.1:9000/execution/");
    expect(config.logsFolder).toBe("/data/logs");
  });

  it("give a frozen object", () => {
    const { config } = load({});
    expect(Object.isFrozen(config) && Object.isFrozen(config.workerQueues)).toBe(true);
  });
});

describe("reading", () => {
  it.each([
    ["postgresql+psycopg2://u:p@db/airflow", "postgresql://u:p@db/airflow"],
    ["postgresql://u:p@db/airflow", "postgresql://u:p@db/airflow"],
    ["postgres://u:p@db/airflow", "postgresql://u:p@db/airflow"],
  ])("takes the database address %s", (given, expected) => {
    expect(load({ AIRFLOW__DATABASE__SQL_ALCHEMY_CONN: given }).config.databaseUrl).toBe(expected);
  });

  it("prefers Airflow's variable over the short one", () => {
    const env = { AIRFLOW__CELERY__BROKER_URL: "redis://a:6379", REDIS_URL: "redis://b:6379" };
    expect(load(env).config.redisUrl).toBe("redis://a:6379");
    expect(load({ REDIS_URL: "redis://b:6379" }).config.redisUrl).toBe("redis://b:6379");
  });

  it("counts an empty variable as not set", () => {
    expect(load({ AIRFLOW__API__PORT: "", UPDRAFT__API__ADMIN_PASSWORD: " " }).config).toMatchObject({
      apiPort: 8080,
      adminPasswordSet: false,
    });
  });

  it.each([
    ["DEBUG", "debug"],
    ["WARNING", "warn"],
    ["CRITICAL", "error"],
  ])("knows Python's log level %s", (given, expected) => {
    expect(load({ AIRFLOW__LOGGING__LOGGING_LEVEL: given }).config.logLevel).toBe(expected);
  });

  it("reads lists, booleans and addresses", () => {
    const { config } = load({
      UPDRAFT__WORKER__QUEUES: "default, spark,",
      AIRFLOW__CORE__DAGS_ARE_PAUSED_AT_CREATION: "False",
      AIRFLOW__CORE__EXECUTION_API_SERVER_URL: "http://api:8080/execution",
    });
    expect(config.workerQueues).toEqual(["default", "spark"]);
    expect(config.dagsArePausedAtCreation).toBe(false);
    expect(config.executionApiUrl).toBe("http://api:8080/execution/");
  });
});

describe("problems", () => {
  it("names the variable, the value and the way out, all at once", () => {
    const problems = problemsOf({ AIRFLOW__API__PORT: "http", AIRFLOW__CORE__PARALLELISM: "0" });
    expect(problems).toHaveLength(2);
    expect(problems[1]).toBe(
      'AIRFLOW__API__PORT="http": must be a whole number from 0 to 65535. Change AIRFLOW__API__PORT, or unset it to use the default.',
    );
    expect(problems[0]).toContain('AIRFLOW__CORE__PARALLELISM="0"');
  });

  it("never shows a secret", () => {
    const [problem] = problemsOf({ AIRFLOW__DATABASE__SQL_ALCHEMY_CONN: "mysql://root:hunter2@db/x" });
    expect(problem).toContain("must be a PostgreSQL address");
    expect(problem).not.toContain("hunter2");
  });

  it("tells a role what it lacks", () => {
    const { config } = load({ REDIS_URL: "redis://b:6379" });
    expect(() => requireSettings(config, "worker", ["redisUrl", "workerToken"])).toThrow(
      /UPDRAFT__WORKER__TOKEN is not set and the worker needs it/,
    );
    expect(() => requireSettings(config, "worker", ["redisUrl"])).not.toThrow();
  });
});

describe("unknown keys", () => {
  it("suggests the key that was meant", () => {
    expect(load({ AIRFLOW__CORE__PARALELISM: "3" }).warnings).toEqual([
      "AIRFLOW__CORE__PARALELISM is not a setting: did you mean AIRFLOW__CORE__PARALLELISM?",
    ]);
  });

  it("leaves Airflow's other settings alone and names every unknown one of ours", () => {
    expect(
      load({ AIRFLOW__WEBSERVER__EXPOSE_CONFIG: "1", UPDRAFT__NOTHING__LIKE_IT: "1", PATH: "/bin" }).warnings,
    ).toEqual(["UPDRAFT__NOTHING__LIKE_IT is not a setting and has no effect."]);
  });
});
