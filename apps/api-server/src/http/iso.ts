/** Instants as they travel: ISO 8601 in UTC. */
import type { Instant } from "@updraft/dag-core";

export function iso(instant: Instant): string;
export function iso(instant: Instant | null): string | null;
export function iso(instant: Instant | null): string | null {
  return instant === null ? null : new Date(instant).toISOString();
}

/** An instant that passed a schema of the contract. */
export function instantOf(text: string): Instant;
export function instantOf(text: string | null | undefined): Instant | null;
export function instantOf(text: string | null | undefined): Instant | null {
  return text === null || text === undefined ? null : Date.parse(text);
}

/** Seconds between two instants; null where one is missing. */
export function secondsBetween(start: Instant | null, end: Instant | null): number | null {
  return start === null || end === null ? null : (end - start) / 1000;
}
