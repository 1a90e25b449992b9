/** The condition of a schedule in the form that Airflow's API and UI know. */
import { type AssetCondition, assertNever, assetSchedule, type Timetable } from "@updraft/dag-core";

type Expression = Record<string, unknown>;

/** Null where the schedule asks for no asset. */
export function assetExpressionOf(timetable: Timetable): Expression | null {
  const schedule = assetSchedule(timetable);
  return schedule === null ? null : expressionOf(schedule.condition);
}

function expressionOf(condition: AssetCondition): Expression {
  switch (condition.kind) {
    case "all":
      return { all: condition.conditions.map(expressionOf) };
    case "any":
      return { any: condition.conditions.map(expressionOf) };
    case "asset":
      return { asset: { uri: condition.uri, name: condition.name, group: condition.group } };
    case "alias":
      return { alias: { name: condition.name, group: condition.group } };
    case "name_ref":
      return { asset_ref: { name: condition.name } };
    case "uri_ref":
      return { asset_ref: { uri: condition.uri } };
    default:
      return assertNever(condition);
  }
}
