// Rows of an experiment's table for charts: what the daemon has (sampled, when there are many), and what has come since.
import type { Table } from "../../api/analysis";
import { columnValue, type Cell } from "../../api/trial_columns";
import { hasEnded, type Trial } from "../../api/types";

export interface TableRow {
  readonly id: string;
  readonly sequence: number;
  /** In the order of the columns that were asked for. */
  readonly values: readonly Cell[];
}

export interface TableData {
  readonly rows: readonly TableRow[];
  readonly matched: number;
  readonly sampled: boolean;
}

export function rowsOf(
  { sequence, id, columns: cells, matched, sampled }: Table,
  columns: readonly string[],
): TableData {
  const rows = id.map((each, place) => ({
    id: each,
    sequence: sequence[place] ?? 0,
    values: columns.map((column) => cells[column]?.[place] ?? null),
  }));
  return { rows, matched, sampled };
}

/** Adds trials that have ended since; one that is known takes its new values. */
export function withTrials(data: TableData, trials: readonly Trial[], columns: readonly string[]): TableData {
  const ended = trials.filter(({ status }) => hasEnded(status));
  if (ended.length === 0) return data;
  const rows = new Map(data.rows.map((row) => [row.id, row]));
  const before = rows.size;
  for (const trial of ended) {
    const values = columns.map((column) => columnValue(trial, column));
    rows.set(trial.id, { id: trial.id, sequence: trial.sequence, values });
  }
  return { ...data, rows: [...rows.values()], matched: data.matched + rows.size - before };
}

/** The best share of the rows by one of their numbers; rows without it are left out. */
export function bestShare(
  rows: readonly TableRow[],
  place: number,
  share: number,
  goal: "maximize" | "minimize",
): readonly TableRow[] {
  const value = (row: TableRow): number => row.values[place] as number;
  const known = rows.filter((row) => typeof row.values[place] === "number");
  known.sort((a, b) => (goal === "maximize" ? value(b) - value(a) : value(a) - value(b)) || a.sequence - b.sequence);
  return known.slice(0, Math.max(1, Math.ceil(share * known.length)));
}
