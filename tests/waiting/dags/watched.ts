/** A folder as an asset: its watcher tells of each file and removes it when that is stored. */
import { readdirSync, rmSync } from "node:fs";
import { join } from "node:path";
import { Asset, AssetWatcher, Bundle, Dag, defineTrigger, getClient } from "@updraft/sdk";

const arrival = defineTrigger("arrival", async function* (_: object, { signal }) {
  const folder = await getClient().getVariableOrThrow("watched_inbox");
  while (!signal.aborted) {
    for (const name of readdirSync(folder)) {
      yield name;
      rmSync(join(folder, name));
    }
    await new Promise((next) => setTimeout(next, 50));
  }
});

const inbox = new Asset({ name: "watched_inbox", watchers: [new AssetWatcher("arrivals", arrival({}))] });
const dag = new Dag("watched", { schedule: inbox });
dag.task("handle", async () => "done")();

await new Bundle(dag).serve();
