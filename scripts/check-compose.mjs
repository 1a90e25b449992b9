/**
 * Asserts what docker-compose.yml promises: every system is a service, on one network, with a health check, started in
 * order, its host ports unique and on loopback, its data in named volumes. No Docker engine is needed to check this.
 */
import { readFileSync } from "node:fs";
import { parse } from "yaml";

const SERVICES = [
  "postgres",
  "redis",
  "broker",
  "schema-registry",
  "control-center",
  "spark-master",
  "spark-worker",
  "cassandra",
  "prometheus",
  "node-exporter",
  "init",
  "api-server",
  "scheduler",
  "dag-processor",
  "triggerer",
  "worker",
];
/** Host port -> service, as the documentation tells people. */
const HOST_PORTS = {
  8080: "api-server",
  9090: "spark-master",
  9091: "prometheus",
  8082: "spark-worker",
  8081: "schema-registry",
  9021: "control-center",
  9092: "broker",
  9042: "cassandra",
};
const EXTRAS = ["schema-registry", "control-center"];
const STATEFUL = ["postgres", "redis", "broker", "cassandra", "prometheus"];
/** service -> what must be up before it. */
const ORDER = {
  init: ["postgres"],
  "api-server": ["init", "redis"],
  scheduler: ["init", "redis"],
  "dag-processor": ["init"],
  triggerer: ["api-server"],
  worker: ["api-server", "redis", "broker", "cassandra"],
  "schema-registry": ["broker"],
  "control-center": ["broker", "schema-registry"],
  "spark-worker": ["spark-master"],
};

/** @returns {string[]} what is wrong, a sentence each; empty when the file keeps its promises. */
export function composeProblems(text) {
  const compose = parse(text, { merge: true });
  const services = compose.services ?? {};
  const problems = [];
  const expect = (ok, message) => {
    if (!ok) problems.push(message);
  };

  for (const name of SERVICES) expect(services[name] !== undefined, `service ${name} is missing`);
  for (const name of Object.keys(services))
    expect(SERVICES.includes(name), `service ${name} is not known to this check`);
  expect(
    !Object.keys(services).some((name) => /zookeeper/i.test(name)),
    "Kafka runs without ZooKeeper; no such service may be here",
  );
  checkPorts(services, expect);
  checkEach(services, compose, expect);
  checkOrder(services, expect);
  expect(compose.networks?.confluent?.name === "confluent", "the network must be named confluent");
  expect(
    String(services.broker?.environment?.KAFKA_ADVERTISED_LISTENERS).includes("PLAINTEXT://broker:29092"),
    "broker must advertise broker:29092 inside the network",
  );
  return problems;
}

function checkPorts(services, expect) {
  const seen = new Map();
  for (const [name, service] of Object.entries(services)) {
    for (const mapping of service.ports ?? []) {
      const [address, host] = String(mapping).split(":");
      expect(address === "127.0.0.1", `${name}: port ${mapping} must be published on 127.0.0.1`);
      expect(!seen.has(host), `host port ${host} is taken by both ${seen.get(host)} and ${name}`);
      seen.set(host, name);
    }
  }
  for (const [port, name] of Object.entries(HOST_PORTS))
    expect(seen.get(port) === name, `host port ${port} must belong to ${name}`);
  expect(seen.size === Object.keys(HOST_PORTS).length, "a port is published that the documentation does not name");
}

function checkEach(services, compose, expect) {
  for (const [name, service] of Object.entries(services)) {
    expect((service.networks ?? []).includes("confluent"), `${name} must be on network confluent`);
    expect(
      EXTRAS.includes(name) === (service.profiles ?? []).includes("extras"),
      `${name}: profile extras is for ${EXTRAS.join(" and ")}`,
    );
    if (name !== "init") expect(Array.isArray(service.healthcheck?.test), `${name} needs a health check`);
    expect(!String(service.image ?? "").endsWith(":latest"), `${name}: pin the image's version`);
    for (const volume of service.volumes ?? []) {
      const source = String(volume).split(":")[0];
      if (!source.startsWith("."))
        expect(source in (compose.volumes ?? {}), `${name}: volume ${source} is not declared`);
    }
  }
  for (const name of STATEFUL) {
    const named = (services[name]?.volumes ?? []).some((v) => !String(v).startsWith("."));
    expect(named, `${name} must keep its data in a named volume`);
  }
  expect(
    (services.cassandra?.volumes ?? []).some((v) => String(v).includes("cassandra.yaml")),
    "cassandra must mount its cassandra.yaml",
  );
  for (const name of ["api-server", "scheduler", "dag-processor", "worker"]) {
    expect(services[name]?.build !== undefined, `${name} must be built from the project's Dockerfile`);
  }
}

function checkOrder(services, expect) {
  for (const [name, needed] of Object.entries(ORDER)) {
    for (const other of needed)
      expect(services[name]?.depends_on?.[other]?.condition !== undefined, `${name} must wait for ${other}`);
  }
}

if (import.meta.filename === process.argv[1] || process.argv[1]?.endsWith("check-compose.mjs")) {
  const problems = composeProblems(readFileSync(new URL("../docker-compose.yml", import.meta.url), "utf8"));
  for (const problem of problems) console.error(`docker-compose.yml: ${problem}`);
  if (problems.length > 0) process.exit(1);
  console.log(
    `docker-compose.yml: ${SERVICES.length} services, ports, health, order, network and volumes are as promised`,
  );
}
