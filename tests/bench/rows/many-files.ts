/** A DAG file with a DAG of three tasks for each id. */
export function dagFile(ids: readonly string[]): string {
  return `import { Bundle, Dag } from "@updraft/sdk";
const dags = ${JSON.stringify(ids)}.map((id) => {
  const dag = new Dag(id, { tags: ["bench"] });
  const [a, b, c] = ["a", "b", "c"].map((name) => dag.task(name, () => name)());
  a.before(b);
  b.before(c);
  return dag;
});
await new Bundle(...dags).serve();
`;
}
