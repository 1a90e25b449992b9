/**
 * A connection as an environment variable holds it, in Airflow's two forms: a URI
 * `type://login:password@host:port/schema?key=value`, or a JSON object. Pure.
 */
import type { ConnectionRow } from "@updraft/metadata-store";
import { z } from "zod";

/** Says what is wrong without repeating the value, which holds secrets. */
export class ConnectionFormError extends Error {
  constructor(connId: string, problem: string) {
    super(`The connection '${connId}' in AIRFLOW_CONN_${connId.toUpperCase()} can't be read: ${problem}.`);
    this.name = "ConnectionFormError";
  }
}

export function parseConnection(connId: string, text: string): ConnectionRow {
  return text.trimStart().startsWith("{") ? fromJson(connId, text) : fromUri(connId, text);
}

const jsonForm = z.object({
  conn_type: z.string().min(1),
  host: z.string().nullish(),
  schema: z.string().nullish(),
  login: z.string().nullish(),
  password: z.string().nullish(),
  port: z.union([z.int(), z.string().regex(/^\d+$/).transform(Number)]).nullish(),
  extra: z.union([z.string(), z.record(z.string(), z.unknown())]).nullish(),
});

function fromJson(connId: string, text: string): ConnectionRow {
  const parsed = jsonForm.safeParse(parseJson(connId, text));
  if (!parsed.success) {
    const fields = parsed.error.issues.map((issue) => issue.path.join(".") || "the whole").join(", ");
    throw new ConnectionFormError(connId, `these fields of the JSON object are missing or of a wrong kind: ${fields}`);
  }
  const { conn_type, host, schema, login, password, port, extra } = parsed.data;
  return {
    conn_id: connId,
    conn_type,
    host: host ?? null,
    schema: schema ?? null,
    login: login ?? null,
    password: password ?? null,
    port: port ?? null,
    extra: typeof extra === "object" && extra !== null ? JSON.stringify(extra) : (extra ?? null),
  };
}

function parseJson(connId: string, text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    throw new ConnectionFormError(connId, "it begins like a JSON object but is not valid JSON");
  }
}

/** The parts of an address before the path; `[...]` is an IPv6 host. */
const AUTHORITY = /^(?:(?<login>[^:@]*)(?::(?<password>[^@]*))?@)?(?<host>\[[^\]]*\]|[^:]*)(?::(?<port>\d*))?$/;

function fromUri(connId: string, text: string): ConnectionRow {
  const [, scheme, rest] = /^([A-Za-z][\w.+-]*):\/\/(.*)$/s.exec(text.trim()) ?? [];
  if (scheme === undefined || rest === undefined) {
    throw new ConnectionFormError(
      connId,
      "it is neither a JSON object nor of the form type://login:password@host:port/schema",
    );
  }
  const [address = "", ...queryParts] = rest.split("?");
  const { authority, path } = splitAddress(address);
  const parts = AUTHORITY.exec(authority)?.groups;
  if (parts === undefined)
    throw new ConnectionFormError(connId, "its host or port is malformed; encode '@', ':' and '/' in it");
  return {
    conn_id: connId,
    conn_type: connTypeOf(scheme),
    host: decoded(connId, parts.host?.replace(/^\[|\]$/g, "")),
    schema: decoded(connId, path),
    login: decoded(connId, parts.login),
    password: decoded(connId, parts.password),
    port: parts.port === undefined || parts.port === "" ? null : Number(parts.port),
    extra: extraOf(new URLSearchParams(queryParts.join("?"))),
  };
}

/** A host may carry a protocol of its own, as in `http://https://example.org:443/`. */
function splitAddress(address: string): { authority: string; path: string } {
  const protocol = /^[A-Za-z][\w.+-]*:\/\//.exec(address)?.[0] ?? "";
  const rest = address.slice(protocol.length);
  const slash = rest.indexOf("/");
  const authority = slash < 0 ? rest : rest.slice(0, slash);
  const host = protocol === "" ? authority : encodeProtocol(protocol, authority);
  return { authority: host, path: slash < 0 ? "" : rest.slice(slash + 1) };
}

/** Moves the inner protocol to the host, encoded so that its colon is not taken for a port's. */
function encodeProtocol(protocol: string, authority: string): string {
  const at = authority.lastIndexOf("@");
  return `${authority.slice(0, at + 1)}${encodeURIComponent(protocol)}${authority.slice(at + 1)}`;
}

function connTypeOf(scheme: string): string {
  const type = scheme.replaceAll("-", "_");
  return type === "postgresql" ? "postgres" : type;
}

/** Airflow's `__extra__` holds the whole as JSON; other parameters are its members. */
function extraOf(query: URLSearchParams): string | null {
  const whole = query.get("__extra__");
  if (whole !== null) return whole;
  const members = Object.fromEntries(query);
  return Object.keys(members).length === 0 ? null : JSON.stringify(members);
}

function decoded(connId: string, part: string | undefined): string | null {
  if (part === undefined || part === "") return null;
  try {
    return decodeURIComponent(part);
  } catch {
    throw new ConnectionFormError(connId, "a part of it is not valid percent-encoding; write '%' as %25");
  }
}
