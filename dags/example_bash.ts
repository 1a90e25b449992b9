/** Shell commands as tasks: the last line a command prints is what the task after it gets. */
import { bash } from "@updraft/providers/standard";
import { Bundle, Dag, getLogger } from "@updraft/sdk";

const dag = new Dag("example_bash", {
  tags: ["example"],
  description: "Two commands and a task that reads the second",
});

const greet = dag.task("greet", bash('echo "Hello from $(uname -s)"'))();
const countFiles = dag.task("count_files", bash("ls -1 / | wc -l"))();
const report = dag.task("report", ({ files }: { files: unknown }) => {
  getLogger().info(`The root folder has ${String(files).trim()} entries`);
});

const reported = report({ files: countFiles });
greet.before(countFiles, reported);

await new Bundle(dag).serve();
