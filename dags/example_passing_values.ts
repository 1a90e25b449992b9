/** Values from task to task: what a task returns is the named input of those that ask for it. */
import { Bundle, Dag, getClient, getLogger } from "@updraft/sdk";

const dag = new Dag("example_passing_values", { tags: ["example"], description: "One source, two readers, one sum" });

const source = dag.task("source", async () => {
  await getClient().setXCom({ key: "origin", value: "a list in the file" });
  return [3, 1, 2];
});
const largest = dag.task("largest", ({ values }: { values: number[] }) => Math.max(...values));
const total = dag.task("total", ({ values, offset }: { values: number[]; offset: number }) =>
  values.reduce((sum, value) => sum + value, offset),
);
const summary = dag.task("summary", async ({ largest, total }: { largest: number; total: number }) => {
  const origin = await getClient().getXCom<string>({ key: "origin", taskId: "source" });
  getLogger().info(`Of ${origin}: the largest value is ${largest}, the total is ${total}`);
  return { largest, total };
});

const values = source();
summary({ largest: largest({ values }), total: total({ values, offset: 10 }) });

await new Bundle(dag).serve();
