/**
 * Asserts what docs/airflow-compat.md promises: every row says what Updraft does, and each row that is done names tests
 * that exist. Prints how many rows are done and open.
 */
import { existsSync, readFileSync } from "node:fs";

const PAGE = "docs/airflow-compat.md";
const STATUS = /^(as Airflow|differs: \S.*|not yet)$/;
const REFERENCE = /^`?([^`"]+?)`?: `?"(.+)"`?$/;

const problems = [];
const sections = new Map();
let section = null;
for (const [index, line] of readFileSync(PAGE, "utf8").split("\n").entries()) {
  if (line.startsWith("## ")) section = line.slice(3);
  if (section === null || !line.startsWith("| ") || /^\| (Row|---) \|/.test(line)) continue;
  const done = checkRow(line, `${PAGE}:${index + 1}`);
  const counts = sections.get(section) ?? { done: 0, open: 0 };
  counts[done ? "done" : "open"] += 1;
  sections.set(section, counts);
}

for (const [name, { done, open }] of sections)
  console.log(`${String(done).padStart(4)} done ${String(open).padStart(4)} open  ${name}`);
const total = (key) => [...sections.values()].reduce((sum, counts) => sum + counts[key], 0);
console.log(`${String(total("done")).padStart(4)} done ${String(total("open")).padStart(4)} open  in all`);
for (const problem of problems) console.error(problem);
process.exit(problems.length === 0 ? 0 : 1);

/** True where the row is done. */
function checkRow(line, place) {
  const cells = cellsOf(line);
  const [row, status, tests] = cells;
  if (cells.length !== 3 || row === "") {
    problems.push(`${place}: a row has the cells Row, Updraft and Test (write a pipe inside of a cell as \\|)`);
    return false;
  }
  if (!STATUS.test(status)) problems.push(`${place}: "${status}" is none of "as Airflow", "differs: why", "not yet"`);
  const references = tests === "" ? [] : tests.split("<br>").map((one) => one.trim());
  if (status !== "not yet" && references.length === 0) problems.push(`${place}: "${row}" names no test`);
  for (const reference of references) checkReference(reference, place);
  return status !== "not yet";
}

function cellsOf(line) {
  return line
    .trim()
    .replace(/^\||\|$/g, "")
    .split(/(?<!\\)\|/)
    .map((cell) => cell.trim());
}

function checkReference(reference, place) {
  const [, file, name] = REFERENCE.exec(reference.replaceAll("\\|", "|")) ?? [];
  if (file === undefined) problems.push(`${place}: write a test as \`path/of/test.ts: "name"\`, not ${reference}`);
  else if (!existsSync(file)) problems.push(`${place}: there is no file ${file}`);
  else if (!holdsTest(readFileSync(file, "utf8"), name)) problems.push(`${place}: ${file} has no test "${name}"`);
}

/** A test's name is the first argument of a call, also of the one that `each` returns. */
function holdsTest(text, name) {
  const quoted = name.replaceAll(/[.*+?^${}()|[\]\\]/g, "\\$&");
  return new RegExp(`(?<!describe)\\(\\s*(["'\`])${quoted}\\1`).test(text);
}
