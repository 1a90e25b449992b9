/** Instants and durations on a page; the title holds UTC. */
import { durationSeconds, formatDuration, formatRelative } from "./duration.ts";
import { formatInstant } from "./instant.ts";
import { useNow } from "./use-now.ts";

export function Moment({ at }: { readonly at: string | null | undefined }) {
  if (at === null || at === undefined) return <span>–</span>;
  return (
    <time dateTime={at} title={`${formatInstant(at, "UTC")} UTC`}>
      {formatInstant(at)}
    </time>
  );
}

/** When something that is to come will be: "in 4 s", and "due" once its time is there. */
export function NextMoment({ at }: { readonly at: string }) {
  const now = useNow();
  const isDue = Date.parse(at) <= now;
  return (
    <time dateTime={at} title={`${formatInstant(at)} (${formatInstant(at, "UTC")} UTC)`}>
      {isDue ? "due" : formatRelative(at, now)}
    </time>
  );
}

interface ElapsedProps {
  readonly start: string | null;
  readonly end: string | null;
}

/** The time between two instants; it runs on while there is no end. */
export function Elapsed({ start, end }: ElapsedProps) {
  if (start !== null && end === null) return <RunningElapsed start={start} />;
  return <span>{formatDuration(durationSeconds(start, end, 0))}</span>;
}

function RunningElapsed({ start }: { readonly start: string }) {
  const now = useNow();
  return <span>{formatDuration(durationSeconds(start, null, now))}</span>;
}
