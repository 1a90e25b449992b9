/** Tasks one after the other: what a hand-over costs, in a warm process, in one of its own, and beside real work. */
import { Bundle, Dag, type TaskOptions } from "@updraft/sdk";

const dags: Dag[] = [];

function chain(dagId: string, length: number, work: () => number, options: TaskOptions = {}): void {
  const dag = new Dag(dagId, { isPausedUponCreation: false, tags: ["bench"] });
  const tasks = Array.from({ length }, (_, n) => dag.task(`t${n}`, work, options)());
  tasks.reduce((previous, next) => {
    previous.before(next);
    return next;
  });
  dags.push(dag);
}

function fibo(n: number): number {
  return n < 2 ? n : fibo(n - 1) + fibo(n - 2);
}

chain("bench_chain10", 10, () => 1);
chain("bench_chain40", 40, () => fibo(10));
chain("bench_chain40_process", 40, () => fibo(10), { isolation: "process" });
chain("bench_chain10_fibo33", 10, () => fibo(33));
chain("bench_chain40_urgent", 40, () => fibo(10), { priorityWeight: 1000 });
await new Bundle(...dags).serve();
