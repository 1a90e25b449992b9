/** The time-based half of a schedule; that of a schedule by assets alone never comes due. */
import type { TimeTimetable, Timetable } from "../model.ts";

export function timePart(timetable: Timetable): TimeTimetable {
  switch (timetable.type) {
    case "asset":
      return { type: "null" };
    case "asset_or_time":
    case "asset_and_time":
      return timetable.timetable;
    default:
      return timetable;
  }
}
