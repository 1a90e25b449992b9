/** From Airflow connections to brokers, login and TLS. */
import type { ConnectionResult } from "@updraft/sdk";
import { describe, expect, it } from "vitest";
import { kafkaSettings } from "../src/kafka/index.ts";

function connection(fields: Partial<ConnectionResult>): ConnectionResult {
  return { id: "kafka_default", type: "kafka", ...fields };
}

describe("kafkaSettings", () => {
  it.each([
    ["host and port", { host: "broker", port: 29092 }, ["broker:29092"]],
    ["the default port", { host: "broker" }, ["broker:9092"]],
    ["several hosts", { host: "a, b:1 ,c", port: 2 }, ["a:2", "b:1", "c:2"]],
    ["Airflow's extra", { extra: '{"bootstrap.servers": "a:1,b:2"}' }, ["a:1", "b:2"]],
  ])("reads brokers from %s", (_, fields, brokers) => {
    expect(kafkaSettings(connection(fields))).toEqual({ brokers, sasl: null, tls: null });
  });

  it("reads a login, from the connection or from the extra", () => {
    const plain = { mechanism: "PLAIN", username: "u", password: "p" };
    expect(kafkaSettings(connection({ host: "a", login: "u", password: "p" })).sasl).toEqual(plain);
    const extra = {
      "bootstrap.servers": "a:1",
      "security.protocol": "sasl_ssl",
      "sasl.mechanism": "SCRAM-SHA-512",
      "sasl.username": "u",
      "sasl.password": "p",
      "ssl.ca.pem": "CA",
    };
    expect(kafkaSettings(connection({ extra: JSON.stringify(extra) }))).toEqual({
      brokers: ["a:1"],
      sasl: { ...plain, mechanism: "SCRAM-SHA-512" },
      tls: { ca: "CA", verify: true },
    });
  });

  it.each([
    [{}, "it names no broker"],
    [{ host: "a", extra: "{" }, "its extra is not JSON"],
    [{ host: "a", extra: "[]" }, "its extra is not a JSON object"],
    [{ host: "a", extra: '{"security.protocol":"TLS"}' }, "it can be PLAINTEXT, SSL"],
    [{ host: "a", extra: '{"security.protocol":"SASL_SSL"}' }, "it asks for SASL and has no login"],
    [{ host: "a", login: "u", extra: '{"sasl.mechanism":"GSSAPI"}' }, "it can be PLAIN, SCRAM"],
  ])("refuses %j", (fields, reason) => {
    expect(() => kafkaSettings(connection(fields))).toThrow(reason);
    expect(() => kafkaSettings(connection(fields))).toThrow('Connection "kafka_default"');
  });
});
