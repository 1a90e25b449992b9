import { QueryClient, QueryObserver } from "@tanstack/react-query";
import { afterEach, beforeEach, expect, it, vi } from "vitest";
import { createStaleMarker } from "../src/live/stale-marker.ts";

const KEY = ["shown"];
const INTERVAL_MS = 1000;

beforeEach(() => void vi.useFakeTimers());
afterEach(() => void vi.useRealTimers());

/** A part that somebody looks at; each fetch ends when the test says so. */
function shownPart() {
  const cache = new QueryClient();
  const answers: (() => void)[] = [];
  const queryFn = () => new Promise<number>((resolve) => answers.push(() => resolve(answers.length)));
  cache.setQueryData(KEY, 0);
  const unsubscribe = new QueryObserver(cache, { queryKey: KEY, queryFn, staleTime: Infinity }).subscribe(
    () => undefined,
  );
  const marker = createStaleMarker(cache, INTERVAL_MS);
  const end = (): void => {
    marker.stop();
    unsubscribe();
  };
  return { marker, end, fetches: () => answers.length, answer: () => answers.at(-1)?.() };
}

it("fetches at once after a quiet time, then once per interval", async () => {
  const part = shownPart();
  part.marker.mark([KEY]);
  expect(part.fetches()).toBe(1);
  part.answer();
  await vi.advanceTimersByTimeAsync(1);
  part.marker.mark([KEY]);
  part.marker.mark([KEY]);
  expect(part.fetches()).toBe(1);
  await vi.advanceTimersByTimeAsync(INTERVAL_MS);
  expect(part.fetches()).toBe(2);
  part.end();
});

it("lets a slow fetch end, and fetches once more for what came meanwhile", async () => {
  const part = shownPart();
  part.marker.mark([KEY]);
  part.marker.mark([KEY]);
  await vi.advanceTimersByTimeAsync(5 * INTERVAL_MS);
  expect(part.fetches()).toBe(1);
  part.answer();
  await vi.advanceTimersByTimeAsync(INTERVAL_MS);
  expect(part.fetches()).toBe(2);
  part.end();
});
