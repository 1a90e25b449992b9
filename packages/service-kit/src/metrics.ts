/**
 * Metrics of a role in Prometheus' format, and the small server of separate roles. In `standalone`, api-server serves
 * the registries of all roles.
 */
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { Counter, collectDefaultMetrics, Gauge, Histogram, Registry } from "prom-client";
import type { Service } from "./lifecycle.ts";

/** From half a millisecond to a minute: a hand-over takes milliseconds, a task may take long. Seconds. */
const DURATION_BUCKETS = [0.0005, 0.001, 0.002, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60];

export interface Metrics {
  readonly registry: Registry;
  counter<L extends string = never>(name: string, help: string, labelNames?: readonly L[]): Counter<L>;
  gauge<L extends string = never>(name: string, help: string, labelNames?: readonly L[]): Gauge<L>;
  /** A histogram of durations in seconds. */
  duration<L extends string = never>(name: string, help: string, labelNames?: readonly L[]): Histogram<L>;
}

/** Metrics whose samples all carry `role`. `processMetrics` adds memory, CPU and event loop lag of the process. */
export function createMetrics(role: string, { processMetrics = false } = {}): Metrics {
  const registry = new Registry();
  registry.setDefaultLabels({ role });
  if (processMetrics) collectDefaultMetrics({ register: registry });
  const registers = [registry];
  return {
    registry,
    counter: (name, help, labelNames = []) => new Counter({ name, help, labelNames, registers }),
    gauge: (name, help, labelNames = []) => new Gauge({ name, help, labelNames, registers }),
    duration: (name, help, labelNames = []) =>
      new Histogram({ name, help, labelNames, buckets: DURATION_BUCKETS, registers }),
  };
}

/** Serves `/metrics` on loopback unless `host` says otherwise; port 0 picks a free one. */
export async function startMetricsServer(
  registry: Registry,
  port: number,
  host = "127.0.0.1",
): Promise<Service & { readonly port: number }> {
  const server = createServer((request, response) => {
    if (request.method !== "GET" || request.url !== "/metrics") {
      response.writeHead(404).end();
      return;
    }
    registry.metrics().then(
      (text) => response.writeHead(200, { "content-type": registry.contentType }).end(text),
      () => response.writeHead(500).end(),
    );
  });
  await new Promise<void>((resolve, reject) => server.once("error", reject).listen(port, host, resolve));
  return {
    port: (server.address() as AddressInfo).port,
    stop: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
}
