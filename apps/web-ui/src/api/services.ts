/** The servers beside the product and how far their start is. */
import { useQuery } from "@tanstack/react-query";
import type { ServiceState } from "@updraft/contract";
import { keys } from "./keys.ts";
import { request } from "./request.ts";

/** No event tells of a server's start, so that alone is asked for while one starts. */
const WHILE_STARTING_MS = 2_000;

interface Services {
  readonly services: readonly ServiceState[];
}

export function useServices() {
  return useQuery({
    queryKey: keys.services,
    queryFn: ({ signal }) => request<Services>("/ui/services", { signal }),
    retry: false,
    refetchInterval: ({ state }) =>
      state.data?.services.some((service) => service.state === "starting") === true ? WHILE_STARTING_MS : false,
  });
}
