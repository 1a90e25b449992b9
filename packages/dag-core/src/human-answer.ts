/** Whether an answer fits the question that a task asked people. */

export interface AskedQuestion {
  readonly options: readonly string[];
  readonly multiple: boolean;
}

/** What is wrong with the chosen options; null where nothing is. */
export function answerProblem(question: AskedQuestion, chosen: readonly string[]): string | null {
  const { options, multiple } = question;
  if (chosen.length === 0) return "Choose at least one option";
  const unknown = chosen.filter((option) => !options.includes(option));
  if (unknown.length > 0) return `${unknown.join(", ")} is not among the options: ${options.join(", ")}`;
  if (new Set(chosen).size < chosen.length) return "An option is chosen twice";
  if (!multiple && chosen.length > 1) return `Only one option may be chosen, not ${chosen.length}`;
  return null;
}
