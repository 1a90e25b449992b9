/** Options of Airflow that Updraft takes without an effect, and those that it does not have. */
import { expect, it } from "vitest";
import { Dag } from "../src/index.ts";
import { serialize } from "./support/play.ts";

it("returnsDagResult is taken and changes nothing", () => {
  const formOf = (options: object) => {
    const dag = new Dag("d");
    dag.task("t", () => 1, options)();
    return serialize(dag);
  };
  expect(formOf({ returnsDagResult: true })).toEqual(formOf({}));
});

it.each(["onFailureCallback", "onSuccessCallback", "onRetryCallback"])("a task has no %s", (option) => {
  expect(() => new Dag("d").task("t", () => 1, { [option]: () => {} } as never)).toThrow(`Unknown option "${option}"`);
});

it("a Dag has no params", () => {
  expect(() => new Dag("d", { params: { rows: 3 } } as never)).toThrow('Unknown option "params"');
});
