/** Sensors that wait for time. They wait without a slot: the engine keeps the timer. */
import {
  dateTimeTrigger,
  defer,
  defineOperator,
  getContext,
  getLogger,
  type Operator,
  type TaskContext,
} from "@updraft/sdk";

/** An instant, or how it follows from the facts of the run. */
export type Moment = Date | ((context: TaskContext) => Date);

/** Waits until an instant, as Airflow's DateTimeSensorAsync. */
export function dateTimeSensor(target: Moment): Operator<void, void> {
  if (typeof target !== "function" && !isDate(target))
    throw new Error("dateTimeSensor needs a Date or a function that makes one");
  const detail = target instanceof Date ? target.toISOString() : null;
  return waitUntil("DateTimeSensorAsync", detail, (context) =>
    typeof target === "function" ? target(context) : target,
  );
}

/** Waits until some seconds after the data interval of the run, or after its `runAfter` where it has none. */
export function timeDeltaSensor(seconds: number): Operator<void, void> {
  if (!Number.isFinite(seconds)) throw new Error("timeDeltaSensor needs a number of seconds");
  return waitUntil("TimeDeltaSensorAsync", `${seconds} s`, ({ dataIntervalEnd, runAfter }) => {
    return new Date((dataIntervalEnd ?? runAfter).getTime() + seconds * 1000);
  });
}

function waitUntil(
  operatorName: string,
  detail: string | null,
  momentOf: (context: TaskContext) => Date,
): Operator<void, void> {
  return defineOperator<void, void>({
    operatorName,
    detail,
    execute() {
      const moment = momentOf(getContext());
      if (!isDate(moment)) throw new Error(`${operatorName} got no valid Date to wait for`);
      if (moment.getTime() <= Date.now()) return;
      getLogger().info(`Waiting until ${moment.toISOString()}`);
      defer({ trigger: dateTimeTrigger(moment), method: "execute_complete" });
    },
    methods: { execute_complete: () => undefined },
  });
}

function isDate(value: unknown): value is Date {
  return value instanceof Date && !Number.isNaN(value.getTime());
}
