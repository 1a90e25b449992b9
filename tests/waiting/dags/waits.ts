/** A DAG in which everything waits: for time, for a trigger of its own, for a look, for another run, for a person. */
import { access, appendFile } from "node:fs/promises";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { Bundle, Dag, defer, defineTrigger, getContext, sensor, timeDeltaTrigger, triggerDagRun } from "@updraft/sdk";
import { approval } from "@updraft/sdk/hitl";

const folder = () => String(getContext().conf.folder);
const isThere = (path: string) =>
  access(path).then(
    () => true,
    () => false,
  );

/** Writes down that it ran, so that a test sees every triggerer that had it. */
const fileThere = defineTrigger("file_there", async ({ path }: { path: string }, { signal }) => {
  await appendFile(`${path}.watched`, "watched\n");
  while (!(await isThere(path))) await sleep(50, undefined, { signal });
  return path;
});

const child = new Dag("waits_child", { isPausedUponCreation: false });
child.task("work", async () => sleep(300))();

const waits = new Dag("waits", { isPausedUponCreation: false });
const time = waits.task("time", () => defer({ trigger: timeDeltaTrigger(0.5), method: "later" }), {
  methods: { later: ({ event }) => event },
});
const file = waits.task(
  "file",
  () => defer({ trigger: fileThere({ path: join(folder(), "file") }), method: "found" }),
  {
    methods: {
      async found({ event }) {
        await appendFile(join(folder(), "found"), "found\n");
        return event;
      },
    },
  },
);
const look = waits.task(
  "look",
  sensor(() => isThere(join(folder(), "look")), { mode: "reschedule", pokeInterval: 0.3 }),
);
const other = waits.task(
  "other",
  triggerDagRun({ dagId: "waits_child", waitForCompletion: true, deferrable: true, pokeInterval: 60 }),
);
const gate = waits.task("gate", approval({ subject: ({ path }: { path: string }) => `Use ${path}?` }));
const done = waits.task("done", () => "done");

const found = file();
const asked = gate({ path: found });
time().before(found);
asked.after(look(), other());
asked.before(done());

await new Bundle(child, waits).serve();
