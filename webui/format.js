// Values as people read them.

const units = ["B", "KiB", "MiB", "GiB"];

export function bytes(value) {
  let unit = 0;
  while (value >= 1024 && unit < units.length - 1) {
    value /= 1024;
    unit += 1;
  }
  return `${unit === 0 ? value : value.toFixed(2)} ${units[unit]}`;
}

export const percent = (value) => `${(100 * value).toFixed(2)} %`;
export const count = (value) => Math.round(value).toLocaleString("en");
export const milliseconds = (value) => `${value < 1 ? value.toFixed(3) : value.toFixed(2)} ms`;
export const factor = (value) => `${value.toFixed(2)} ×`;

export function number(value) {
  if (typeof value !== "number") return value === undefined || value === null ? "–" : String(value);
  if (Number.isInteger(value)) return String(value);
  const size = Math.abs(value);
  return size >= 1e6 || size < 1e-4 ? value.toExponential(4) : String(Number(value.toPrecision(6)));
}

export function duration(seconds) {
  if (seconds === undefined || seconds === null) return "–";
  if (seconds < 60) return `${seconds.toFixed(1)} s`;
  const whole = Math.floor(seconds);
  const parts = [[Math.floor(whole / 86400), "d"], [Math.floor(whole / 3600) % 24, "h"], [Math.floor(whole / 60) % 60, "min"], [whole % 60, "s"]];
  const first = parts.findIndex(([amount]) => amount > 0);
  return parts.slice(first, first + 2).map(([amount, unit]) => `${amount} ${unit}`).join(" ");
}

export const time = (unixMs) => (unixMs === undefined ? "–" : new Date(unixMs).toLocaleString());

const statusTones = {
  RUNNING: "busy", INITIALIZED: "wait", WAITING: "wait", STOPPING: "wait", NO_MORE_TRIAL: "busy", TUNER_NO_MORE_TRIAL: "busy",
  DONE: "good", SUCCEEDED: "good", ERROR: "bad", FAILED: "bad",
};

export const statusTone = (status) => statusTones[status] ?? "";

/** {a: {b: 1}} → "a.b 1, …" */
export function parameters(value, prefix = "") {
  if (value === null || typeof value !== "object" || Array.isArray(value)) return `${prefix} ${typeof value === "number" ? number(value) : JSON.stringify(value)}`;
  return Object.entries(value)
    .map(([key, child]) => (key === "_name" ? `${prefix} ${child}` : parameters(child, prefix ? `${prefix}.${key}` : key)))
    .join(", ");
}

/** What lathe-trial measures of a model; `better` is the sign of a good change. */
export const measures = [
  { key: "accuracy", title: "Accuracy", show: percent, better: 1 },
  { key: "loss", title: "Loss", show: number, better: -1 },
  { key: "parameters", title: "Parameters", show: count, better: -1 },
  { key: "macs", title: "MACs", show: count, better: -1 },
  { key: "size_bytes", title: "Size", show: bytes, better: -1 },
  { key: "latency_ms", title: "Latency", show: milliseconds, better: -1 },
  { key: "speedup", title: "Speed-up", show: factor, better: 1 },
];
