import { mkdtempSync, rmSync } from "node:fs";
import { appendFile, mkdir, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { type TaskLogKey, taskLogPath } from "@updraft/service-kit";
import { afterAll, beforeAll, expect, it } from "vitest";
import { createLogViews, type LogView, type LogViews } from "../src/task-logs/log-view.ts";
import { openLocalLog } from "../src/task-logs/shared-folder.ts";

let folder: string;
let views: LogViews;
const open: LogView[] = [];
const key: TaskLogKey = { dag_id: "d", run_id: "r", task_id: "t", map_index: -1, try_number: 1 };

beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), "updraft-logs-"));
  views = createLogViews({ localPath: () => undefined, open: (wanted) => openLocalLog(folder, wanted) });
});
afterAll(async () => {
  for (const view of open) await view.close();
  rmSync(folder, { recursive: true });
});

async function put(wanted: TaskLogKey, text: string): Promise<string> {
  const path = join(folder, taskLogPath(wanted));
  await mkdir(dirname(path), { recursive: true });
  await writeFile(path, text);
  return path;
}

async function opened(wanted: TaskLogKey, isOver = true) {
  const view = await views.open(wanted, null, isOver);
  if (view === null) throw new Error("there is no such log");
  open.push(view);
  return view;
}

const line = (n: number, level = "info") =>
  `${JSON.stringify({ timestamp: "2026-01-01", level, event: `line ${n}`, logger: "l" })}\n`;

it("counts and reads lines of a file that grows, and starts anew when it is replaced", async () => {
  const path = await put(key, Array.from({ length: 2000 }, (_, n) => line(n)).join(""));
  const first = await opened(key);
  expect(first.totalLines).toBe(2000);
  expect((await first.window(1023, 2)).map(({ n, event }) => [n, event])).toEqual([
    [1023, "line 1023"],
    [1024, "line 1024"],
  ]);
  expect((await first.window(1999, 10)).map(({ n }) => n)).toEqual([1999]);
  expect(await first.window(2000, 10)).toEqual([]);

  await appendFile(path, `${line(2000)}{"event":"unfin`);
  expect((await opened(key, false)).totalLines).toBe(2001);
  const over = await opened(key);
  expect(over.totalLines).toBe(2002);
  expect((await over.window(2001, 5))[0]?.event).toBe('{"event":"unfin');

  await appendFile(path, 'ished"}\n');
  const finished = await opened(key);
  expect((await finished.window(2001, 5)).map(({ event }) => event)).toEqual(["unfinished"]);

  await writeFile(path, line(0));
  expect((await opened(key)).totalLines).toBe(1);
});

it("shows what the task added, and lines that are no JSON", async () => {
  const wanted = { ...key, task_id: "odd" };
  await put(wanted, `plain text\r\n{"event":"e","level":"warning","rows":3,"who":"x"}\n[1]\n\n"ü"`);
  const view = await opened(wanted);
  expect((await view.window(0, 10)).map(({ level, event }) => [level, event])).toEqual([
    [null, "plain text"],
    ["warning", "e rows=3 who=x"],
    [null, "[1]"],
    [null, ""],
    [null, '"ü"'],
  ]);
});

it("cuts a line that is far too long", async () => {
  const wanted = { ...key, task_id: "long" };
  await put(wanted, `${"x".repeat(3_000_000)}\nafter\n`);
  const lines = await (await opened(wanted)).window(0, 10);
  expect(lines.map(({ event }) => event.length)).toEqual([256 * 1024 + 1, 5]);
});

it("opens a million lines at the end, and finds text and levels in them", async () => {
  const wanted = { ...key, task_id: "million" };
  const part = (start: number) =>
    Array.from({ length: 10_000 }, (_, n) => line(start + n, n === 77 ? "error" : "info")).join("");
  const path = await put(wanted, "");
  for (let start = 0; start < 1_000_000; start += 10_000) await appendFile(path, part(start));

  const startedAt = performance.now();
  const view = await opened(wanted);
  const end = await view.window(view.totalLines - 100, 100);
  expect(end.at(-1)?.event).toBe("line 999999");
  expect(performance.now() - startedAt).toBeLessThan(5000);

  expect(await view.search({ text: "LINE 999999", levels: [] })).toEqual({
    total: 1,
    lines: [999_999],
    truncated: false,
  });
  expect((await view.search({ text: "", levels: ["ERROR"] })).total).toBe(100);
  expect((await view.window(0, 2, ["error"])).map(({ n }) => n)).toEqual([77, 10_077]);
});
