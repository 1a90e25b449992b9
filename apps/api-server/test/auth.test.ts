import { request } from "node:http";
import { ConfigError, loadConfig } from "@updraft/service-kit";
import { createTestStore } from "@updraft/testkit";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { ensureAdmin } from "../src/auth/admin.ts";
import { hashPassword, verifyPassword } from "../src/auth/passwords.ts";
import { startTestServer, type TestServer } from "./test-server.ts";

const DEFAULT = { username: "airflow", password: "airflow" };

describe("sign-in", () => {
  let server: TestServer;
  beforeAll(async () => {
    server = await startTestServer();
  });
  afterAll(() => server.stop());

  async function cookieOf(): Promise<string> {
    const answer = await server.call("POST", "/auth/login", { body: DEFAULT });
    return String(answer.headers.get("set-cookie")).split(";")[0] ?? "";
  }

  it("gives a token that opens the API", async () => {
    const answer = await server.call("POST", "/auth/token", { body: DEFAULT });
    expect(answer.status).toBe(201);
    expect((await server.call("GET", "/api/v2/dags", { token: answer.body.access_token })).status).toBe(200);
  });

  it.each([
    ["no token", undefined, "Not authenticated"],
    ["a broken token", "nonsense", "Invalid JWT token"],
  ])("refuses %s", async (_what, token, detail) => {
    const answer = await server.call("GET", "/api/v2/dags", token === undefined ? {} : { token });
    expect(answer).toMatchObject({ status: 401, body: { detail } });
  });

  it("sets a cookie that scripts can't read, and clears it", async () => {
    const answer = await server.call("POST", "/auth/login", { body: DEFAULT });
    expect(answer.headers.get("set-cookie")).toMatch(
      /^_token=[^;]+; Max-Age=86400; Path=\/; .*HttpOnly; SameSite=Lax$/,
    );
    const out = await server.call("GET", "/auth/logout");
    expect(out.status).toBe(302);
    expect(out.headers.get("set-cookie")).toContain("_token=;");
  });

  it.each([
    ["its own page", { "sec-fetch-site": "same-origin" }, 404],
    ["another site", { "sec-fetch-site": "cross-site" }, 403],
    ["another origin, in an old browser", { origin: "http://evil.example" }, 403],
    ["a program", {}, 404],
  ])("lets a cookie write for %s: %#", async (_who, headers, status) => {
    const cookie = await cookieOf();
    const answer = await server.call("PATCH", "/api/v2/dags/none", {
      body: { is_paused: true },
      headers: { cookie, ...headers } as Record<string, string>,
    });
    expect(answer.status).toBe(status);
  });

  it("keeps the default password to this machine's own name", async () => {
    const status = await new Promise((resolve, reject) => {
      const { port } = new URL(server.url);
      const headers = { host: "evil.example", "content-type": "application/json" };
      const call = request({ port, method: "POST", path: "/auth/token", headers }, (answer) =>
        resolve(answer.statusCode),
      );
      call.on("error", reject).end(JSON.stringify(DEFAULT));
    });
    expect(status).toBe(403);
    const proxied = { body: DEFAULT, headers: { "x-forwarded-for": "192.0.2.1" } };
    expect((await server.call("POST", "/auth/token", proxied)).status).toBe(403);
  });

  it("slows down who guesses", async () => {
    const body = { username: "somebody", password: "wrong" };
    const statuses: number[] = [];
    for (let attempt = 0; attempt < 6; attempt += 1)
      statuses.push((await server.call("POST", "/auth/token", { body })).status);
    expect(statuses).toEqual([401, 401, 401, 401, 401, 429]);
  });
});

describe("the administrator", () => {
  it("keeps a server with the published password off the network", async () => {
    const { store, close } = await createTestStore();
    const config = loadConfig({ AIRFLOW__API__HOST: "0.0.0.0" });
    await expect(ensureAdmin(store, config)).rejects.toThrow(ConfigError);
    await expect(ensureAdmin(store, config)).rejects.toThrow("UPDRAFT__API__ADMIN_PASSWORD");
    await ensureAdmin(store, loadConfig({ AIRFLOW__API__HOST: "0.0.0.0", UPDRAFT__API__ADMIN_PASSWORD: "own" }));
    // The password is in the database now; a role without the setting may start.
    await ensureAdmin(store, config);
    const user = await store.getUser("airflow");
    expect(user?.password_is_own).toBe(true);
    expect(await verifyPassword("own", user?.password_hash ?? "")).toBe(true);
    await close();
  });

  it("hashes with a salt of its own each time", async () => {
    const [one, other] = await Promise.all([hashPassword("p"), hashPassword("p")]);
    expect(one).not.toBe(other);
    expect(await verifyPassword("p", one)).toBe(true);
    expect(await verifyPassword("q", one)).toBe(false);
    expect(await verifyPassword("p", "")).toBe(false);
  });
});
