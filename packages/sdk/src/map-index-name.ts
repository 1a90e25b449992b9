/**
 * `mapIndexTemplate`: the name that people see in place of a map index, such as `{{ file.name }}`. Names are those of the
 * task's inputs, and `map_index`, `task_id`, `run_id`, `dag_id`. What can't be rendered leaves no name.
 */
import type { JsonValue } from "./json.ts";

const MOST_CHARACTERS = 250;

export function renderMapIndex(template: string, values: Readonly<Record<string, JsonValue>>): string | null {
  let isWhole = true;
  const text = template.replace(/\{\{\s*([^{}]*?)\s*\}\}/g, (_, path: string) => {
    const found = valueAt(values, path.split("."));
    if (found === undefined) isWhole = false;
    return typeof found === "string" ? found : JSON.stringify(found);
  });
  return isWhole ? text.slice(0, MOST_CHARACTERS) : null;
}

function valueAt(value: JsonValue | undefined, path: readonly string[]): JsonValue | undefined {
  const [name, ...rest] = path;
  if (name === undefined) return value;
  if (typeof value !== "object" || value === null || !Object.hasOwn(value, name)) return undefined;
  return valueAt((value as { readonly [key: string]: JsonValue })[name], rest);
}
