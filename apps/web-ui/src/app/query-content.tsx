/** One query on a page: its content once it is there, a place-holder before, and the failure with a way on. */
import { Skeleton, Stack } from "@mantine/core";
import type { UseQueryResult } from "@tanstack/react-query";
import type { ReactNode } from "react";
import { FailureAlert } from "./failure-alert.tsx";

interface QueryContentProps<Data> {
  readonly query: UseQueryResult<Data>;
  /** What it is, as in "Can't load {what}". */
  readonly what: string;
  readonly children: (data: Data) => ReactNode;
}

/** Data that is shown stays while a later fetch fails: the connection indicator already says so. */
export function QueryContent<Data>({ query, what, children }: QueryContentProps<Data>) {
  if (query.data !== undefined) return <>{children(query.data)}</>;
  if (query.isError) {
    return <FailureAlert title={`Can't load ${what}`} error={query.error} onRetry={() => void query.refetch()} />;
  }
  return (
    <Stack gap="xs" p="md" aria-busy="true" aria-label={`Loading ${what}`}>
      <Skeleton height={18} width="40%" />
      <Skeleton height={18} />
      <Skeleton height={18} width="80%" />
    </Stack>
  );
}
