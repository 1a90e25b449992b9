import { expect, it } from "vitest";
import { answerProblem } from "../src/index.ts";
import { table } from "./table.ts";

it.each(
  table(`
    chosen | multiple | problem
    a      | no       | -
    a b    | yes      | -
    -      | yes      | Choose at least one option
    z      | no       | z is not among the options: a, b
    a a    | yes      | An option is chosen twice
    a b    | no       | Only one option may be chosen, not 2
  `),
)("choosing '$chosen', several allowed: $multiple", ({ chosen = "", multiple, problem }) => {
  const question = { options: ["a", "b"], multiple: multiple === "yes" };
  const options = chosen === "" ? [] : chosen.split(" ");
  expect(answerProblem(question, options) ?? "").toBe(problem);
});
