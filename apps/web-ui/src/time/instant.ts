/** Instants as people read them: in the time zone of the browser, with UTC at hand. */

/** "2026-11-24 11:18:05"; null as a dash. */
export function formatInstant(instant: string | null | undefined, timeZone?: string): string {
  if (instant === null || instant === undefined) return "–";
  const date = new Date(instant);
  if (Number.isNaN(date.getTime())) return instant;
  const parts = partsOf(date, timeZone);
  return `${parts.year}-${parts.month}-${parts.day} ${parts.hour}:${parts.minute}:${parts.second}`;
}

/** "11:18:05.042" for log lines. What is no instant stays as it is. */
export function formatLogTime(instant: string, timeZone?: string): string {
  const date = new Date(instant);
  if (Number.isNaN(date.getTime())) return instant;
  const parts = partsOf(date, timeZone);
  return `${parts.hour}:${parts.minute}:${parts.second}.${String(date.getUTCMilliseconds()).padStart(3, "0")}`;
}

const formats = new Map<string, Intl.DateTimeFormat>();

/** Building a format costs more than using it a thousand times. */
function formatFor(timeZone: string | undefined): Intl.DateTimeFormat {
  const key = timeZone ?? "";
  const known = formats.get(key);
  if (known !== undefined) return known;
  const format = new Intl.DateTimeFormat("en-GB", {
    year: "numeric",
    month: "2-digit",
    day: "2-digit",
    hour: "2-digit",
    minute: "2-digit",
    second: "2-digit",
    hourCycle: "h23",
    ...(timeZone === undefined ? {} : { timeZone }),
  });
  formats.set(key, format);
  return format;
}

function partsOf(date: Date, timeZone: string | undefined): Readonly<Record<string, string>> {
  return Object.fromEntries(
    formatFor(timeZone)
      .formatToParts(date)
      .map(({ type, value }) => [type, value]),
  );
}
