/** From `schedule` to a timetable, complaining in the author's terms. */
import { cronTimetable, deltaTimetable, parseSchedule, ScheduleError, type Timetable } from "@updraft/dag-core";
import { errorAt } from "./call-site.ts";
import type { DagModel } from "./dag-model.ts";
import { describeValue, isPlainObject } from "./json.ts";

export function readTimetable(model: DagModel): Timetable {
  const { schedule } = model.spec;
  if (schedule === undefined) return { type: "null" };
  const refuse = (complaint: string): never => {
    throw errorAt(model.site, `schedule for Dag "${model.dagId}" ${complaint}`);
  };
  if (typeof schedule !== "string" && !model.dialect.objectSchedules) {
    return refuse("must be a string; intervals and time zones come with @updraft/sdk");
  }
  try {
    return typeof schedule === "string" ? readText(schedule) : readObject(schedule, refuse);
  } catch (error) {
    if (error instanceof ScheduleError) return refuse(`is not valid: ${error.message}`);
    throw error;
  }
}

function readText(schedule: string): Timetable {
  return schedule === "" ? cronTimetable("", "UTC") : parseSchedule(schedule);
}

function readObject(schedule: unknown, refuse: (complaint: string) => never): Timetable {
  if (!isPlainObject(schedule)) return refuse(`must be a string or an object, not ${describeValue(schedule)}`);
  const known = "every" in schedule ? ["every"] : ["cron", "timezone"];
  const unknown = Object.keys(schedule).find((key) => !known.includes(key));
  if (unknown !== undefined) return refuse(`has an unknown part "${unknown}"; it is { every } or { cron, timezone }`);
  const { every, cron, timezone = "UTC" } = schedule;
  if ("every" in schedule) {
    return typeof every === "number"
      ? deltaTimetable(every)
      : refuse(`needs { every: seconds }, not ${describeValue(every)}`);
  }
  if (typeof cron !== "string") return refuse('needs { every: seconds } or { cron: "expression" }');
  if (typeof timezone !== "string") return refuse(`needs the name of a time zone, not ${describeValue(timezone)}`);
  return cronTimetable(cron, timezone);
}
