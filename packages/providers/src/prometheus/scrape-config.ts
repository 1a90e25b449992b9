/**
 * prometheus.yml: the file that Prometheus itself reads, as far as scraping static targets goes.
 *
 * What Prometheus uses for other things (rules, alerting, storage) is passed over. A key that would change what is
 * scraped and that this reader doesn't know is an error with its line: passing over it would scrape something else than
 * the author meant. The beat is the DAG's, so scrape_interval only bounds scrape_timeout.
 */
import { parseDurationMs, parseSizeBytes } from "./units.ts";
import { ConfigurationError, YamlSection } from "./yaml-section.ts";

/** The formats a target is asked for, by Prometheus' names, the best first. */
const scrapeProtocols = [
  "OpenMetricsText1.0.0",
  "OpenMetricsText0.0.1",
  "PrometheusText1.0.0",
  "PrometheusText0.0.4",
] as const;
export type ScrapeProtocol = (typeof scrapeProtocols)[number];

/** A secret in the file itself or in a file of its own, which is read at each scrape. */
export type Secret =
  | { readonly kind: "text"; readonly text: string }
  | { readonly kind: "file"; readonly path: string };

export type Authorization =
  | { readonly kind: "basic"; readonly username: string; readonly password: Secret }
  | { readonly kind: "token"; readonly type: string; readonly credentials: Secret };

export interface ScrapeTarget {
  /** The scrape config's name, which also names the topic. */
  readonly jobName: string;
  readonly url: string;
  /** Labels of every sample of this target; `job` and `instance` are always among them. */
  readonly labels: Readonly<Record<string, string>>;
  readonly timeoutMs: number;
  readonly authorization: Authorization | null;
  readonly protocols: readonly ScrapeProtocol[];
  /** Which parser takes an answer without a usable Content-Type; null fails such a scrape. */
  readonly fallbackProtocol: ScrapeProtocol | null;
  readonly honorLabels: boolean;
  readonly honorTimestamps: boolean;
  readonly followRedirects: boolean;
  readonly compression: boolean;
  /** 0: the reader's own limit only. */
  readonly bodySizeLimit: number;
  /** 0: no limit. */
  readonly sampleLimit: number;
}

export interface ScrapeConfiguration {
  readonly jobNames: readonly string[];
  readonly targets: readonly ScrapeTarget[];
}

const rootKeys = new Set([
  "global",
  "scrape_configs",
  ...["rule_files", "alerting", "remote_write", "remote_read", "storage", "tracing", "otlp", "runtime"],
]);
const globalKeys = new Set([
  "scrape_interval",
  "scrape_timeout",
  "scrape_protocols",
  "body_size_limit",
  "sample_limit",
  ...["evaluation_interval", "rule_query_offset", "query_log_file", "external_labels"],
]);
const jobKeys = new Set([
  "job_name",
  "scrape_interval",
  "scrape_timeout",
  "scrape_protocols",
  "fallback_scrape_protocol",
  "metrics_path",
  "scheme",
  "params",
  "static_configs",
  "honor_labels",
  "honor_timestamps",
  "basic_auth",
  "authorization",
  "follow_redirects",
  "enable_compression",
  "body_size_limit",
  "sample_limit",
]);
const defaults = { intervalMs: 60_000, timeoutMs: 10_000 };
const labelName = /^[a-zA-Z_][a-zA-Z0-9_]*$/;

/** Reads the text of the file; `file` names it in errors. */
export function readScrapeConfiguration(text: string, file: string): ScrapeConfiguration {
  const root = YamlSection.parse(text, file);
  root.onlyKeys(rootKeys, explainRefusal);
  const jobs = root.sections("scrape_configs") ?? [];
  const shared = root.section("global");
  shared?.onlyKeys(globalKeys, explainRefusal);
  const names = new Set<string>();
  const targets = jobs.flatMap((job) => readJob(job, shared, names));
  if (targets.length === 0)
    throw new ConfigurationError(`${file}: no targets; list them under scrape_configs, static_configs, targets`);
  return { jobNames: [...names], targets };
}

function explainRefusal(key: string): string | null {
  if (key.endsWith("_sd_configs"))
    return "service discovery is not supported; list the targets under static_configs (for example from the tool that knows them)";
  if (key.endsWith("relabel_configs"))
    return "relabelling is not supported; set labels under static_configs and filter when reading";
  if (key === "tls_config" || key === "oauth2" || key === "proxy_url")
    return "not supported; scrape through a local proxy that does it";
  if (key === "scrape_config_files") return "not supported; list the jobs under scrape_configs";
  return null;
}

function readJob(job: YamlSection, shared: YamlSection | undefined, names: Set<string>): ScrapeTarget[] {
  job.onlyKeys(jobKeys, explainRefusal);
  const jobName = job.text("job_name") ?? job.refuse("job_name", "every scrape config needs one");
  if (names.has(jobName)) job.refuse("job_name", `"${jobName}" is there twice`);
  names.add(jobName);
  const { timeoutMs } = readTimes(job, shared);
  const scheme = job.parsed(
    "scheme",
    (text) => (text === "http" || text === "https" ? text : undefined),
    "http or https",
  );
  const common = {
    jobName,
    timeoutMs,
    authorization: readAuthorization(job),
    protocols: readProtocols(job) ?? (shared && readProtocols(shared)) ?? scrapeProtocols,
    fallbackProtocol: job.parsed("fallback_scrape_protocol", findProtocol, scrapeProtocols.join(", ")) ?? null,
    honorLabels: job.flag("honor_labels") ?? false,
    honorTimestamps: job.flag("honor_timestamps") ?? true,
    followRedirects: job.flag("follow_redirects") ?? true,
    compression: job.flag("enable_compression") ?? true,
    bodySizeLimit: readSize(job) ?? (shared && readSize(shared)) ?? 0,
    sampleLimit: job.wholeNumber("sample_limit") ?? shared?.wholeNumber("sample_limit") ?? 0,
  };
  const path = job.text("metrics_path") ?? "/metrics";
  const place = { scheme: scheme ?? "http", path: path.startsWith("/") ? path : `/${path}`, query: readQuery(job) };
  return (job.sections("static_configs") ?? []).flatMap((group) =>
    readGroup(group).map(({ address, labels }) => ({
      ...common,
      url: `${place.scheme}://${address}${place.path}${place.query}`,
      // As in Prometheus, a label of the group wins over the name of the job and the address.
      labels: { job: jobName, instance: address, ...labels },
    })),
  );
}

function readTimes(job: YamlSection, shared: YamlSection | undefined): { timeoutMs: number } {
  const read = (section: YamlSection | undefined, key: string) =>
    section?.parsed(key, (text) => parseDurationMs(text) || undefined, "a duration above 0 such as 5s");
  const intervalMs = read(job, "scrape_interval") ?? read(shared, "scrape_interval") ?? defaults.intervalMs;
  const own = read(job, "scrape_timeout");
  if (own !== undefined && own > intervalMs) job.refuse("scrape_timeout", "is longer than the scrape_interval");
  return { timeoutMs: own ?? Math.min(read(shared, "scrape_timeout") ?? defaults.timeoutMs, intervalMs) };
}

function readSize(section: YamlSection): number | undefined {
  return section.parsed("body_size_limit", parseSizeBytes, "a size such as 10MB");
}

function readProtocols(section: YamlSection): readonly ScrapeProtocol[] | undefined {
  return section
    .texts("scrape_protocols")
    ?.filter((text) => text !== "PrometheusProto")
    .map(
      (text) =>
        findProtocol(text) ?? section.refuse("scrape_protocols", `"${text}" is none of ${scrapeProtocols.join(", ")}`),
    );
}

function findProtocol(text: string): ScrapeProtocol | undefined {
  return scrapeProtocols.find((protocol) => protocol === text);
}

function readQuery(job: YamlSection): string {
  const params = job.section("params");
  if (params === undefined) return "";
  const query = new URLSearchParams();
  for (const name of params.keys()) for (const value of params.texts(name) ?? []) query.append(name, value);
  return query.size === 0 ? "" : `?${query}`;
}

function readGroup(group: YamlSection): { address: string; labels: Record<string, string> }[] {
  group.onlyKeys(new Set(["targets", "labels"]));
  const section = group.section("labels");
  const labels: Record<string, string> = {};
  for (const name of section?.keys() ?? []) {
    if (!labelName.test(name)) section?.refuse(name, "is not a label name");
    if (name.startsWith("__")) section?.refuse(name, "is reserved, and needs relabelling, which is not supported");
    labels[name] = section?.text(name) ?? "";
  }
  return (group.texts("targets") ?? []).map((address) => {
    if (!/^[^/\s@?#]+$/.test(address)) group.refuse("targets", `"${address}" is not host:port`);
    return { address, labels };
  });
}

function readAuthorization(job: YamlSection): Authorization | null {
  const basic = job.section("basic_auth");
  const token = job.section("authorization");
  if (basic !== undefined && token !== undefined) job.refuse("authorization", "give this or basic_auth, not both");
  if (basic !== undefined) {
    basic.onlyKeys(new Set(["username", "password", "password_file"]));
    const username = basic.text("username") ?? basic.refuse("username", "expected a text");
    return { kind: "basic", username, password: readSecret(basic, "password") };
  }
  if (token === undefined) return null;
  token.onlyKeys(new Set(["type", "credentials", "credentials_file"]));
  return { kind: "token", type: token.text("type") ?? "Bearer", credentials: readSecret(token, "credentials") };
}

function readSecret(section: YamlSection, key: string): Secret {
  const path = section.text(`${key}_file`);
  const text = section.text(key);
  if (path !== undefined && text !== undefined) section.refuse(key, `give this or ${key}_file, not both`);
  return path === undefined ? { kind: "text", text: text ?? "" } : { kind: "file", path };
}
