import { expect, it } from "vitest";
import { ConnectionFormError, parseConnection } from "../src/execution/connection-uri.ts";

const EMPTY = { host: null, schema: null, login: null, password: null, port: null, extra: null };

it.each<[string, Partial<ReturnType<typeof parseConnection>>]>([
  ["kafka://localhost:9092", { conn_type: "kafka", host: "localhost", port: 9092 }],
  ["postgresql://u:p@db/name", { conn_type: "postgres", host: "db", schema: "name", login: "u", password: "p" }],
  ["google-cloud-platform://", { conn_type: "google_cloud_platform" }],
  ["http://user@[::1]:80/", { conn_type: "http", host: "::1", port: 80, login: "user" }],
  ["http://u:a%40b%2Fc@h", { conn_type: "http", host: "h", login: "u", password: "a@b/c" }],
  ["http://:only@h", { conn_type: "http", host: "h", password: "only" }],
  ["http://https://example.org:443/api", { conn_type: "http", host: "https://example.org", port: 443, schema: "api" }],
  ["x://h?a=1&b=two", { conn_type: "x", host: "h", extra: '{"a":"1","b":"two"}' }],
  ["x://h?__extra__=%7B%22a%22%3A1%7D", { conn_type: "x", host: "h", extra: '{"a":1}' }],
  [
    '{"conn_type":"http","host":"h","port":"81","extra":{"a":1}}',
    { conn_type: "http", host: "h", port: 81, extra: '{"a":1}' },
  ],
])("reads %s", (text, wanted) => {
  expect(parseConnection("c", text)).toEqual({ conn_id: "c", ...EMPTY, ...wanted });
});

it.each(["no address", "{", '{"host":"h"}', "x://h:port", "x://u:secret%zz@h"])(
  "refuses %s without repeating it",
  (text) => {
    expect(() => parseConnection("c", text)).toThrow(ConnectionFormError);
    expect(() => parseConnection("c", text)).toThrow(/AIRFLOW_CONN_C/);
    expect(() => parseConnection("c", "x://u:secret%zz@h")).not.toThrow(/secret/);
  },
);
