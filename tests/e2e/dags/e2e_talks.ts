/** Says a line, waits to be looked at, says another one. */
import { setTimeout as sleep } from "node:timers/promises";
import { Bundle, Dag, getContext } from "@updraft/sdk";

const dag = new Dag("e2e_talks", { tags: ["e2e"], description: "A task to watch" });
const talk = dag.task("talk", async () => {
  console.log("first line");
  await sleep(4000);
  console.log(`last line, \u001b[31mconf\u001b[0m is ${JSON.stringify(getContext().conf)}`);
  return "done";
});
const after = dag.task("after", () => "well");
talk().before(after());
await new Bundle(dag).serve();
