/** Operators that every installation has. */
export { type BashOptions, bash } from "./bash.ts";
export { dateTimeSensor, type Moment, timeDeltaSensor } from "./time-sensors.ts";
