/** `pools`: list, get, set, delete. */
import type { PoolRow } from "@updraft/metadata-store";
import type { Command } from "./commands.ts";
import { outputHelp, outputOption, printRows } from "./output.ts";
import { UsageError } from "./usage-error.ts";
import { withStore } from "./with-store.ts";

export const poolCommands: readonly Command[] = [
  {
    name: "pools list",
    summary: "Show all pools and how full they are",
    options: outputOption,
    optionHelp: outputHelp,
    examples: ["updraft pools list", "updraft pools list --output json"],
    run: ({ output }) =>
      withStore("pools list", async ({ store }) => {
        printRows((await store.listPools()).map(shown), output);
        return 0;
      }),
  },
  {
    name: "pools get",
    summary: "Show one pool",
    positionals: ["pool"],
    options: outputOption,
    optionHelp: outputHelp,
    examples: ["updraft pools get default_pool"],
    run: ({ pool, output }) =>
      withStore("pools get", async ({ store }) => {
        const found = (await store.listPools()).find(({ name }) => name === pool);
        if (found === undefined) return missing(String(pool));
        printRows([shown(found)], output);
        return 0;
      }),
  },
  {
    name: "pools set",
    summary: "Make a pool, or change one",
    positionals: ["pool", "slots", "description"],
    options: { ...outputOption, "include-deferred": { type: "boolean" } },
    optionHelp: { ...outputHelp, "include-deferred": "deferred tasks keep their slots" },
    examples: ['updraft pools set database 5 "connections to the database"', "updraft pools set api -1 unlimited"],
    run: (values) =>
      withStore("pools set", async ({ store, announce }) => {
        const name = String(values.pool);
        const slots = slotsOf(values.slots);
        const include_deferred = values["include-deferred"] === true;
        const pool = { name, slots, description: String(values.description), include_deferred };
        const announcement = await store.savePool(pool, "upsert");
        if (announcement !== null) await announce(announcement);
        const saved = (await store.listPools()).filter((one) => one.name === name);
        printRows(saved.map(shown), values.output);
        return 0;
      }),
  },
  {
    name: "pools delete",
    summary: "Delete a pool; its waiting tasks wait until there is one of that name again",
    positionals: ["pool"],
    options: {},
    optionHelp: {},
    examples: ["updraft pools delete database"],
    run: ({ pool }) =>
      withStore("pools delete", async ({ store }) => {
        const result = await store.deletePool(String(pool));
        if (result === "not_found") return missing(String(pool));
        if (result === "default") {
          process.stderr.write("default_pool can't be deleted: tasks that name no pool run in it.\n");
          return 1;
        }
        process.stdout.write(`Pool ${String(pool)} was deleted.\n`);
        return 0;
      }),
  },
];

function shown({ name, slots, description, include_deferred, occupied, scheduled }: PoolRow) {
  return { pool: name, slots, occupied, waiting: scheduled, include_deferred, description };
}

function slotsOf(text: unknown): number {
  const slots = Number(text);
  if (Number.isSafeInteger(slots) && slots >= -1) return slots;
  throw new UsageError(`slots "${String(text)}" is no whole number from -1; -1 is without limit.`);
}

function missing(pool: string): number {
  process.stderr.write(`There is no pool ${pool}; \`updraft pools list\` shows them.\n`);
  return 1;
}
