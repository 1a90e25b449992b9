/** A run that takes one of several ways, and a join that survives the ways not taken. */
import { Bundle, Dag, getLogger } from "@updraft/sdk";

const dag = new Dag("example_branching", { tags: ["example"], description: "A condition, a switch and a join" });

const measure = dag.task("measure", () => Math.floor(Math.random() * 100))();

const small = dag.task("small", () => "small")();
const medium = dag.task("medium", () => "medium")();
const large = dag.task("large", () => "large")();
const chooseSize = ({ measured }: { measured: number }) => (measured < 33 ? small : measured < 66 ? medium : large);
dag.switch(chooseSize, { measured: measure }, { taskId: "choose_size" }).case(small).case(medium).case(large);

const join = dag.task("join", () => "one way led here", { triggerRule: "none_failed_min_one_success" })();
join.after(small, medium, large);

const alarm = dag.task("alarm", () => getLogger().warning("The value is above 90"))();
const isAlarming = ({ measured }: { measured: number }) => measured > 90;
dag.if(isAlarming, { measured: measure }, { taskId: "is_alarming" }).then(alarm);

await new Bundle(dag).serve();
