// The named columns of an experiment's trials, read from a trial itself: the same values that the daemon's table has,
// so that an event can add a row to a chart without asking for the table again.
import type { Json, Trial } from "./types";

export type Cell = number | string | boolean | null;

const plain: Readonly<Record<string, (trial: Trial) => Cell | undefined>> = {
  sequence: (trial) => trial.sequence,
  id: (trial) => trial.id,
  status: (trial) => trial.status,
  source: (trial) => trial.source,
  host: (trial) => trial.host,
  attempt: (trial) => trial.attempt,
  submitTime: (trial) => trial.submitTime,
  startTime: (trial) => trial.startTime,
  endTime: (trial) => trial.endTime,
  duration: (trial) => trial.duration,
  intermediateCount: (trial) => trial.intermediateCount,
  metric: (trial) => trial.metric,
  reason: (trial) => trial.reason ?? trial.waitReason,
};

const isObject = (value: unknown): value is Record<string, unknown> =>
  typeof value === "object" && value !== null && !Array.isArray(value);

/** A value for one cell: objects and lists as JSON, what is not finite as nothing. */
function cell(value: unknown): Cell {
  if (value === undefined || value === null) return null;
  if (typeof value === "number") return Number.isFinite(value) ? value : null;
  if (typeof value === "string" || typeof value === "boolean") return value;
  return JSON.stringify(value);
}

/** The value at a dotted path; a key may itself have dots in it (`conv1.weight`), so the longest key that fits wins. */
export function atPath(value: unknown, path: string): unknown {
  if (!isObject(value)) return undefined;
  if (Object.hasOwn(value, path)) return value[path];
  for (let dot = path.lastIndexOf("."); dot > 0; dot = path.lastIndexOf(".", dot - 1)) {
    const key = path.slice(0, dot);
    if (Object.hasOwn(value, key)) {
      const found = atPath(value[key], path.slice(dot + 1));
      if (found !== undefined) return found;
    }
  }
  return undefined;
}

/** The value that a trial has in a column; null where it has none. */
export function columnValue(trial: Trial, column: string): Cell {
  const read = plain[column];
  if (read) return cell(read(trial));
  if (column.startsWith("parameter.")) return cell(atPath(trial.parameters, column.slice("parameter.".length)));
  if (column.startsWith("metric.")) {
    const key = column.slice("metric.".length);
    const metric = trial.finalMetric;
    return cell(isObject(metric) ? atPath(metric, key) : key === "default" ? metric : undefined);
  }
  return null;
}

/** The leaves of nested parameters as `[dotted path, value]`. */
export function leaves(value: unknown, prefix = ""): [string, Json][] {
  if (!isObject(value)) return [[prefix, value as Json]];
  return Object.entries(value).flatMap(([key, inner]) => leaves(inner, prefix ? `${prefix}.${key}` : key));
}

/** The names of the columns that a trial has values in. */
export function columnsOf(trial: Trial): string[] {
  const metrics = isObject(trial.finalMetric) ? leaves(trial.finalMetric).map(([path]) => `metric.${path}`) : [];
  return [...leaves(trial.parameters).map(([path]) => `parameter.${path}`), ...metrics];
}

/** A column's name as people read it. */
export const columnTitle = (column: string): string => column.replace(/^(parameter|metric)\./, "");
