/** Exporters of the test: real HTTP servers whose values change with every scrape, in both formats. */
import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";

export interface Exporter {
  readonly address: string;
  readonly scrapes: () => number;
  stop(): Promise<void>;
}

const FORMATS = {
  text: {
    contentType: "text/plain; version=0.0.4; charset=utf-8",
    body: (n: number) => `# HELP soak_requests_total Requests "so far".
# TYPE soak_requests_total counter
soak_requests_total{path="/a",code="200"} ${n * 3}
soak_requests_total{path="/with \\"quotes\\" and \\\\",code="500"} ${n}
# TYPE soak_temperature gauge
soak_temperature ${(Math.sin(n) * 20).toFixed(3)}
# TYPE soak_latency_seconds histogram
soak_latency_seconds_bucket{le="0.1"} ${n}
soak_latency_seconds_bucket{le="+Inf"} ${n * 2}
soak_latency_seconds_sum ${n * 0.25}
soak_latency_seconds_count ${n * 2}
`,
  },
  openmetrics: {
    contentType: "application/openmetrics-text; version=1.0.0; charset=utf-8",
    body: (n: number) => `# TYPE soak_jobs counter
soak_jobs_total{queue="fast"} ${n}
soak_jobs_total{queue="slow"} ${n * 2}
# TYPE soak_build info
soak_build_info{version="1.${n % 3}"} 1
# TYPE soak_level gauge
soak_level{tank="é"} ${n / 7}
# EOF
`,
  },
} as const;

export async function startExporter(format: keyof typeof FORMATS): Promise<Exporter> {
  const { contentType, body } = FORMATS[format];
  let scrapes = 0;
  const server: Server = createServer((_, response) => {
    scrapes += 1;
    response.writeHead(200, { "content-type": contentType }).end(body(scrapes));
  });
  await new Promise<void>((done) => server.listen(0, "127.0.0.1", done));
  return {
    address: `127.0.0.1:${(server.address() as AddressInfo).port}`,
    scrapes: () => scrapes,
    stop: () =>
      new Promise((done) => {
        server.close(() => done());
        server.closeAllConnections();
      }),
  };
}
