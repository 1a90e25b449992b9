/** How long requests take and how they end, by the part of the API that answered. */
import type { Metrics } from "@updraft/service-kit";
import type { RequestHandler } from "express";

const AREAS: ReadonlySet<string> = new Set(["execution", "api", "ui", "auth"]);

export function requestMetrics(metrics: Metrics): RequestHandler {
  const seconds = metrics.duration("airflow_api_request_duration_seconds", "Time to answer a request", [
    "area",
    "status",
  ]);
  return (request, response, next) => {
    const startedAt = performance.now();
    const [, first = ""] = request.url.split(/[/?]/, 2);
    const area = AREAS.has(first) ? first : "pages";
    response.on("finish", () => {
      // An event stream stays open for hours; that is no time to answer.
      if (String(response.getHeader("content-type")).startsWith("text/event-stream")) return;
      const status = `${Math.floor(response.statusCode / 100)}xx`;
      seconds.observe({ area, status }, (performance.now() - startedAt) / 1000);
    });
    next();
  };
}
