/** Tasks in groups: the groups depend on each other as wholes. */
import { Bundle, Dag } from "@updraft/sdk";

const dag = new Dag("example_task_groups", { tags: ["example"], description: "Nested groups with edges between them" });

const start = dag.task("start", () => undefined)();

const extract = dag.taskGroup("extract");
for (const region of ["europe", "asia"]) {
  const group = extract.taskGroup(region);
  const download = group.task("download", () => `rows of ${region}`)();
  group.task("check", ({ rows }: { rows: string }) => rows.length > 0)({ rows: download });
}

const load = dag.taskGroup("load");
load.task("customers", () => undefined)();
load.task("orders", () => undefined)();

const finish = dag.task("finish", () => undefined)();
start.before(extract);
extract.before(load);
load.before(finish);

await new Bundle(dag).serve();
