/** A bash task and a plain one after it. */
import { bash } from "@updraft/providers/standard";
import { Bundle, Dag } from "@updraft/sdk/airflow";

const dag = new Dag("conf_bash", { tags: ["conformance"], description: "bash, then TypeScript" });
const hello = dag.task("hello", bash("echo first line; echo last line"))();
const shout = dag.task("shout", ({ text }: { text: string }) => text.toUpperCase());
shout({ text: hello });
await new Bundle(dag).serve();
