/** Who is signed in, and the server's settings for the UI. */
import { useQuery } from "@tanstack/react-query";
import type { authenticatedMeResponse, uiConfigResponse } from "@updraft/contract";
import { keys } from "./keys.ts";
import { request } from "./request.ts";

type Me = ReturnType<typeof authenticatedMeResponse.parse>;
type UiConfig = ReturnType<typeof uiConfigResponse.parse>;

export function useMe() {
  return useQuery({
    queryKey: keys.me,
    queryFn: ({ signal }) => request<Me>("/ui/auth/me", { signal }),
    staleTime: Number.POSITIVE_INFINITY,
  });
}

export function useUiConfig() {
  return useQuery({
    queryKey: keys.config,
    queryFn: ({ signal }) => request<UiConfig>("/ui/config", { signal }),
    staleTime: Number.POSITIVE_INFINITY,
  });
}

export function signIn(username: string, password: string): Promise<unknown> {
  return request("/auth/login", { method: "POST", body: { username, password } });
}
