/** Five thousand tasks that wait: for a slot of a pool that is full, or for the task before them. */
import { setTimeout as sleep } from "node:timers/promises";
import { Bundle, Dag } from "@updraft/sdk";

const MINUTES_10 = 600_000;
const waiting = new Dag("bench_waiting5000", { isPausedUponCreation: false, tags: ["bench"] });
for (let n = 0; n < 5000; n++) waiting.task(`w${n}`, () => sleep(MINUTES_10), { pool: "bench_narrow" })();

const blocked = new Dag("bench_blocked5000", { isPausedUponCreation: false, tags: ["bench"] });
const first = blocked.task("first", () => sleep(MINUTES_10))();
for (let n = 0; n < 5000; n++) first.before(blocked.task(`b${n}`, () => n)());
await new Bundle(waiting, blocked).serve();
