/** Durations and sizes as prometheus.yml writes them. */

const duration = /^(?:(\d+)y)?(?:(\d+)w)?(?:(\d+)d)?(?:(\d+)h)?(?:(\d+)m)?(?:(\d+)s)?(?:(\d+)ms)?$/;
const dayMs = 86_400_000;
const unitsMs = [365 * dayMs, 7 * dayMs, dayMs, 3_600_000, 60_000, 1000, 1];

/** Milliseconds of `1h30m`, `500ms` or `0`; undefined for anything else. */
export function parseDurationMs(text: string): number | undefined {
  if (text === "0") return 0;
  const match = text === "" ? null : duration.exec(text);
  if (match === null) return undefined;
  return unitsMs.reduce((sum, unit, at) => sum + Number(match[at + 1] ?? 0) * unit, 0);
}

const size = /^(\d+(?:\.\d+)?)\s*([KMGTPE]?)I?B$/i;

/** Bytes of `10MB` or `512KiB`; both count in powers of 1024, as in Prometheus. */
export function parseSizeBytes(text: string): number | undefined {
  if (text === "0") return 0;
  const match = size.exec(text);
  if (match === null) return undefined;
  const power = ["", "K", "M", "G", "T", "P", "E"].indexOf((match[2] ?? "").toUpperCase());
  return Math.floor(Number(match[1]) * 1024 ** power);
}
