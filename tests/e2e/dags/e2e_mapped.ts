/** A thousand instances of one task, a few at a time: what the UI must not draw line by line. */
import { Bundle, Dag } from "@updraft/sdk";

const dag = new Dag("e2e_mapped", { tags: ["e2e"], maxActiveTasks: 4 });
const prepare = dag.task("prepare", () => "ready");
const look = dag.task("look", ({ n }: { n: number }) => {
  if (n === 3) throw new Error("three is not looked at");
  return n;
});
const looked = look.expand({ n: Array.from({ length: 1000 }, (_, n) => n) });
prepare().before(looked);
await new Bundle(dag).serve();
