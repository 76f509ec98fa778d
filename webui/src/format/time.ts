// Times in the user's zone and language; durations in at most two units.

const none = "–";

/** 3.2 s, 4 min 10 s, 2 h 5 min, 3 d 4 h */
export function duration(seconds: unknown): string {
  if (typeof seconds !== "number" || !Number.isFinite(seconds)) return none;
  if (seconds < 0.0995) return `${Math.round(1000 * Math.max(0, seconds))} ms`;
  if (seconds < 59.95) return `${seconds.toFixed(1)} s`;
  const whole = Math.round(seconds);
  const units = [
    ["d", 86_400],
    ["h", 3_600],
    ["min", 60],
    ["s", 1],
  ] as const;
  const first = units.findIndex(([, size]) => whole >= size);
  return units
    .slice(first, first + 2)
    .map(
      ([unit, size], index) =>
        [index === 0 ? Math.floor(whole / size) : Math.floor((whole % (units[first]?.[1] ?? 1)) / size), unit] as const,
    )
    .filter(([amount], index) => index === 0 || amount > 0)
    .map(([amount, unit]) => `${amount} ${unit}`)
    .join(" ");
}

const clock = new Intl.DateTimeFormat(undefined, { hour: "2-digit", minute: "2-digit", second: "2-digit" });
const dayAndClock = new Intl.DateTimeFormat(undefined, { dateStyle: "medium", timeStyle: "medium" });

/** The time of today, or day and time; `now` is for tests. */
export function time(milliseconds: unknown, now = new Date()): string {
  if (typeof milliseconds !== "number") return none;
  const moment = new Date(milliseconds);
  return moment.toDateString() === now.toDateString() ? clock.format(moment) : dayAndClock.format(moment);
}

/** Day, time and zone, for titles. */
export function fullTime(milliseconds: unknown): string {
  if (typeof milliseconds !== "number") return none;
  return new Date(milliseconds).toLocaleString(undefined, { dateStyle: "full", timeStyle: "long" });
}

/** `90s`, `12h` or whole seconds, as a configuration has them, in seconds; null for what is neither. */
export function parseDuration(text: unknown): number | null {
  if (typeof text === "number") return text;
  const match = /^\s*(\d+(?:\.\d+)?)\s*([smhd]?)\s*$/.exec(String(text ?? ""));
  if (!match) return null;
  return Number(match[1]) * { "": 1, s: 1, m: 60, h: 3_600, d: 86_400 }[match[2] as "" | "s" | "m" | "h" | "d"];
}
