/**
 * What a server sees of our environment: no secret, only what programs need to find their way.
 */
import { processEnvironment } from "@updraft/service-kit";

const PASSED_ON = ["PATH", "HOME", "TMPDIR", "LANG", "LC_ALL", "TZ"] as const;

export function serverEnvironment(more: Readonly<Record<string, string>> = {}): Record<string, string> {
  const all = processEnvironment();
  const passed = PASSED_ON.flatMap((name) => {
    const value = all[name];
    return value === undefined ? [] : [[name, value] as const];
  });
  return { ...Object.fromEntries(passed), ...more };
}
