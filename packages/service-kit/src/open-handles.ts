/**
 * What keeps a process awake, counted by kind: tells whether users' code left something behind in it. Apart from the index:
 * the processes that run users' code load little.
 */

export type OpenHandles = ReadonlyMap<string, number>;

/** Idle connections of an agent and unref'ed timers don't count. */
export function countOpenHandles(): OpenHandles {
  const counts = new Map<string, number>();
  for (const kind of process.getActiveResourcesInfo()) counts.set(kind, (counts.get(kind) ?? 0) + 1);
  return counts;
}

/** The kinds of which there are more than `before`. */
export function newOpenHandles(before: OpenHandles): string[] {
  return [...countOpenHandles()].filter(([kind, count]) => count > (before.get(kind) ?? 0)).map(([kind]) => kind);
}
