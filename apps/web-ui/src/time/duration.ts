/** Durations in words: short ones in milliseconds, long ones in two units. */

const MINUTE = 60;
const HOUR = 60 * MINUTE;
const DAY = 24 * HOUR;

export function formatDuration(seconds: number | null | undefined): string {
  if (seconds === null || seconds === undefined || !Number.isFinite(seconds)) return "–";
  if (seconds < 0) return `-${formatDuration(-seconds)}`;
  if (seconds < 1) return `${Math.round(seconds * 1000)} ms`;
  if (seconds < 10) return `${Number(seconds.toFixed(1))} s`;
  const whole = Math.round(seconds);
  if (whole < MINUTE) return `${whole} s`;
  if (whole < HOUR) return twoUnits(whole, MINUTE, "min", 1, "s");
  if (whole < DAY) return twoUnits(whole, HOUR, "h", MINUTE, "min");
  return twoUnits(whole, DAY, "d", HOUR, "h");
}

/** Seconds between two instants; an open end is `nowMs`. Null where it has not begun. */
export function durationSeconds(start: string | null, end: string | null, nowMs: number): number | null {
  if (start === null) return null;
  const endMs = end === null ? nowMs : Date.parse(end);
  return Math.max(0, (endMs - Date.parse(start)) / 1000);
}

/** "in 4 s", "12 s ago". */
export function formatRelative(instant: string, nowMs: number): string {
  const seconds = (Date.parse(instant) - nowMs) / 1000;
  if (Math.abs(seconds) < 1) return "now";
  const words = formatDuration(Math.round(Math.abs(seconds)));
  return seconds > 0 ? `in ${words}` : `${words} ago`;
}

function twoUnits(seconds: number, unit: number, name: string, lesser: number, lesserName: string): string {
  const major = Math.floor(seconds / unit);
  const minor = Math.floor((seconds % unit) / lesser);
  return minor === 0 ? `${major} ${name}` : `${major} ${name} ${minor} ${lesserName}`;
}
