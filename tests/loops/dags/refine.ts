/** Heron's square root of two, one step an iteration. */
import { Bundle, Dag, getContext } from "@updraft/sdk";

interface Estimate {
  readonly value: number;
  readonly error: number;
}

const dag = new Dag("refine", { isPausedUponCreation: false });

const loop = dag.loopGroup<Estimate>("root", { maxIterations: 10, until: ({ result }) => result.error < 0.01 });
const improve = loop.task("improve", () => {
  const previous = (getContext().loop?.previous ?? null) as Estimate | null;
  return previous === null ? 1 : (previous.value + 2 / previous.value) / 2;
})();
const measure = loop.task("measure", ({ value }: { value: number }) => ({ value, error: Math.abs(value ** 2 - 2) }))({
  value: improve,
});
const tell = dag.task("tell", ({ found }: { found: Estimate }) => found.value)({ found: measure });
loop.before(tell);

await new Bundle(dag).serve();
