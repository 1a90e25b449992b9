/** What a file is, by what came of reading it. Pure. */
import type { ParseAnswer } from "./parse-child/protocol.ts";

type Parsed = Extract<ParseAnswer, { kind: "parsed" }>;

export type Verdict =
  | { readonly kind: "dags"; readonly dags: Parsed["dags"]; readonly errors: Parsed["errors"] }
  | { readonly kind: "error"; readonly stack_trace: string }
  | { readonly kind: "helper" };

/** A Dag made at the top of a module, where only a DAG file makes one; helpers make theirs inside functions. */
const DAG_AT_THE_TOP = /^(?:export\s+)?(?:const|let|var)\s+[\w$]+[^=\n]*=\s*new\s+Dag\b/m;

export function verdictOf(answer: ParseAnswer, source: string): Verdict {
  if (answer.kind === "failed") return { kind: "error", stack_trace: answer.stack_trace };
  if (answer.kind === "parsed") return { kind: "dags", dags: answer.dags, errors: answer.errors };
  const isHelper = answer.exports.length > 0 && !DAG_AT_THE_TOP.test(source);
  return isHelper ? { kind: "helper" } : { kind: "error", stack_trace: answer.message };
}
