/** One scrape over real HTTP: what is asked, what is taken, and what each way to fail becomes. */
import { writeFile } from "node:fs/promises";
import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { join } from "node:path";
import { gzipSync } from "node:zlib";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { readScrapeConfiguration } from "../src/prometheus/index.ts";
import { type Scrape, scrapeTarget } from "../src/prometheus/scrape-target.ts";
import { temporaryFolder } from "./support/servers.ts";

const answers: Readonly<Record<string, (request: IncomingMessage, response: ServerResponse) => void>> = {
  "/metrics": (_, response) => response.writeHead(200, { "content-type": "text/plain; version=0.0.4" }).end("a 1\n"),
  "/echo": (request, response) =>
    response.writeHead(200, { "content-type": "text/plain" }).end(JSON.stringify(request.headers)),
  "/gzip": (_, response) => response.writeHead(200, { "content-encoding": "gzip" }).end(gzipSync("a 1\n")),
  "/cut": (_, response) =>
    response.writeHead(200, { "content-encoding": "gzip" }).end(gzipSync("a 1\n".repeat(1000)).subarray(0, 20)),
  "/bomb": (_, response) =>
    response.writeHead(200, { "content-encoding": "gzip" }).end(gzipSync(Buffer.alloc(5_000_000))),
  "/large": (_, response) => response.writeHead(200).end("a 1\n".repeat(5000)),
  "/broken": (_, response) => response.writeHead(500).end("no"),
  "/slow": () => undefined,
  "/drips": (_, response) => void response.writeHead(200).write("a 1\n"),
  "/moved": (_, response) => response.writeHead(302, { location: "/echo" }).end(),
  "/loop": (_, response) => response.writeHead(302, { location: "/loop" }).end(),
  "/elsewhere": (_, response) => response.writeHead(302, { location: `http://localhost:${port(other)}/echo` }).end(),
  "/file": (_, response) => response.writeHead(302, { location: "file:///etc/passwd" }).end(),
};

let server: Server;
let other: Server;

async function listen(): Promise<Server> {
  const made = createServer((request, response) => answers[request.url ?? ""]?.(request, response));
  await new Promise<void>((done) => made.listen(0, "127.0.0.1", done));
  return made;
}

function port(of: Server): number {
  return (of.address() as AddressInfo).port;
}

beforeAll(async () => {
  [server, other] = [await listen(), await listen()];
});
afterAll(() => {
  for (const one of [server, other]) {
    one.closeAllConnections();
    one.close();
  }
});

async function scrape(path: string, settings = "", signal = AbortSignal.timeout(20_000)): Promise<Scrape> {
  const yaml = `scrape_configs: [{job_name: j, metrics_path: ${path}, scrape_timeout: 500ms, ${settings} static_configs: [{targets: ["127.0.0.1:${port(server)}"]}]}]`;
  const [target] = readScrapeConfiguration(yaml, "prometheus.yml").targets;
  if (target === undefined) throw new Error("no target");
  return scrapeTarget(target, signal);
}

async function headersAt(path: string, settings: string): Promise<Record<string, string>> {
  return JSON.parse(Buffer.from((await scrape(path, settings)).body).toString());
}

describe("scrapeTarget", () => {
  it("takes the answer as it is, with its type and time", async () => {
    const began = Date.now();
    const { status, contentType, body, error, startMs, durationSeconds } = await scrape("/metrics");
    expect({ status, contentType, error }).toEqual({
      status: 200,
      contentType: "text/plain; version=0.0.4",
      error: null,
    });
    expect(Buffer.from(body).toString()).toBe("a 1\n");
    expect(startMs - began).toBeLessThan(1000);
    expect(durationSeconds).toBeGreaterThan(0);
  });

  it("unpacks gzip", async () => {
    expect(Buffer.from((await scrape("/gzip")).body).toString()).toBe("a 1\n");
  });

  it.each([
    ["/broken", "", /server returned HTTP status 500/],
    ["/slow", "", /no complete answer within 500 ms/],
    ["/drips", "", /no complete answer within 500 ms/],
    ["/cut", "", /unexpected end of file/],
    ["/large", "body_size_limit: 10KB,", /larger than 10240 bytes/],
    ["/bomb", "body_size_limit: 1MB,", /larger than 1048576 bytes/],
    ["/loop", "", /more than 5 redirects/],
    ["/file", "", /redirected to file:/],
    ["/moved", "follow_redirects: false,", /server returned HTTP status 302/],
    ["/metrics", "basic_auth: {username: u, password_file: /nowhere},", /ENOENT/],
    ["/metrics", "scheme: https,", /SSL|packet|EPROTO|wrong version/],
  ])("%s %s is a failed scrape without a body", async (path, settings, reason) => {
    const { error, body } = await scrape(path, settings);
    expect(error).toMatch(reason);
    expect(body).toHaveLength(0);
  });

  it("logs in as the configuration says, with secrets from files too", async () => {
    const file = join(await temporaryFolder(), "secret");
    await writeFile(file, "s3cret\n");
    const basic = await headersAt("/echo", `basic_auth: {username: u, password_file: ${file}},`);
    expect(basic.authorization).toBe(`Basic ${Buffer.from("u:s3cret").toString("base64")}`);
    expect((await headersAt("/echo", "authorization: {credentials: t},")).authorization).toBe("Bearer t");
  });

  it("follows a redirect, with credentials only to the same host", async () => {
    const login = "authorization: {credentials: t},";
    expect((await headersAt("/moved", login)).authorization).toBe("Bearer t");
    expect((await headersAt("/elsewhere", login)).authorization).toBeUndefined();
  });

  it("asks for the formats in the order wanted", async () => {
    const { accept } = await headersAt("/echo", "scrape_protocols: [PrometheusText0.0.4],");
    expect(accept).toBe("text/plain;version=0.0.4;q=0.2,*/*;q=0.1");
    expect((await headersAt("/echo", "enable_compression: false,"))["accept-encoding"]).toBe("identity");
  });

  it("ends with its task", async () => {
    const stop = new AbortController();
    const scraping = scrape("/slow", "", stop.signal);
    stop.abort(new Error("cancelled"));
    await expect(scraping).rejects.toThrow("cancelled");
  });
});
