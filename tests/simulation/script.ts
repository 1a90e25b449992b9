/** What the user code of each try does: the same for a seed, whoever runs it and whenever. */
import type { TryOutcome } from "@updraft/metadata-store";
import { SeededRandom } from "@updraft/testkit/worlds";

export interface Performance {
  readonly durationMs: number;
  readonly outcome: TryOutcome;
  /** Successors that a decider skips before it ends. */
  readonly skips: readonly string[];
}

export interface Role {
  readonly run_id: string;
  readonly dag_id: string;
  readonly task_id: string;
  readonly map_index: number;
  readonly try_number: number;
}

export function perform(seed: number, role: Role, successors: readonly string[], isDecider: boolean): Performance {
  const { dag_id, run_id, task_id, map_index, try_number } = role;
  const random = new SeededRandom(hash(`${seed}/${dag_id}/${run_id}/${task_id}/${map_index}/${try_number}`));
  const failed = { kind: "failed", reason: "scripted", retry_delay_seconds: null } as const;
  const isUnlucky = new SeededRandom(hash(`${seed}/${dag_id}`)).chance(0.3);
  const outcome = random.weighted<TryOutcome>([
    [isUnlucky ? 7 : 14, { kind: "success", xcoms: [{ key: "return_value", value: try_number }] }],
    [4, { ...failed, retry: true }],
    [isUnlucky ? 5 : 1, { ...failed, retry: false }],
    [isUnlucky ? 4 : 1, { kind: "skipped", reason: null }],
  ]);
  const durationMs = random.chance(0.1) ? random.int(14_000) : random.int(1500);
  const skips = isDecider && outcome.kind === "success" ? successors.filter(() => random.chance(0.5)) : [];
  return { durationMs, outcome, skips };
}

function hash(text: string): number {
  let value = 0x811c9dc5;
  for (let index = 0; index < text.length; index += 1) value = Math.imul(value ^ text.charCodeAt(index), 0x01000193);
  return value >>> 0;
}
