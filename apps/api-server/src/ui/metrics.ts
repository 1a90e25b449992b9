/** `/metrics`: the registries of all roles in this process as one text, for this machine only. */
import { ApiError } from "@updraft/contract";
import type { RequestHandler } from "express";
import type { ApiContext } from "../context.ts";
import { isFromLoopback } from "../http/loopback.ts";

export function metricsHandler({ registries }: Pick<ApiContext, "registries">): RequestHandler {
  return async (request, response) => {
    if (!isFromLoopback(request)) throw new ApiError("metrics_not_loopback");
    const texts = await Promise.all(registries.map((registry) => registry.metrics()));
    const contentType = registries[0]?.contentType ?? "text/plain";
    response.setHeader("content-type", contentType).send(joinExpositions(texts));
  };
}

/**
 * Several expositions as one. A family may stand in more than one of them, but in the whole its samples must follow each
 * other below one head. @internal
 */
export function joinExpositions(texts: readonly string[]): string {
  const families = new Map<string, { head: string[]; samples: string[] }>();
  for (const text of texts) {
    let family = { head: [] as string[], samples: [] as string[] };
    let isRepeated = false;
    for (const line of text.split("\n")) {
      const name = /^# HELP (\S+)/.exec(line)?.[1];
      if (name !== undefined) {
        isRepeated = families.has(name);
        family = families.get(name) ?? { head: [], samples: [] };
        families.set(name, family);
      }
      if (line.startsWith("#") && !isRepeated) family.head.push(line);
      else if (line !== "" && !line.startsWith("#")) family.samples.push(line);
    }
  }
  const lines = [...families.values()].flatMap(({ head, samples }) => [...head, ...samples]);
  return lines.length === 0 ? "" : `${lines.join("\n")}\n`;
}
