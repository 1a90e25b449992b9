/** `group.mapped("name")`: what a mapped group is mapped over, as an input of a task in it. */
import type { GroupRecord } from "./dag-model.ts";

export interface GroupInput {
  readonly group: GroupRecord;
  readonly key: string;
}

const inputs = new WeakMap<object, GroupInput>();

/** A token that stands for the value of each instance. */
export function createGroupInput(input: GroupInput): object {
  const token = Object.freeze({});
  inputs.set(token, input);
  return token;
}

/** What a token stands for; null for anything else. */
export function groupInputOf(value: unknown): GroupInput | null {
  return typeof value === "object" && value !== null ? (inputs.get(value) ?? null) : null;
}
