import { columnsOf, columnTitle, columnValue, type Cell } from "../../api/trial_columns";
import type { Trial } from "../../api/types";
import { measureOf, showCell } from "../../format/measures";
import { duration } from "../../format/time";
import { tableTitle } from "../trials/trial_table_columns";

export interface CompareRow {
  readonly name: string;
  readonly title: string;
  readonly differs: boolean;
  readonly cells: readonly { readonly text: string; readonly isBest: boolean }[];
}

/** The places of the best values, where a measure tells which way is better and not all are equal. */
function bestPlaces(column: string, values: readonly Cell[]): ReadonlySet<number> {
  const measure = column.startsWith("metric.") ? measureOf(columnTitle(column)) : undefined;
  const numbers = values.filter((value): value is number => typeof value === "number");
  if (!measure || new Set(numbers).size < 2) return new Set();
  const best = measure.goal === "maximize" ? Math.max(...numbers) : Math.min(...numbers);
  return new Set(values.flatMap((value, place) => (value === best ? [place] : [])));
}

function row(column: string, trials: readonly Trial[]): CompareRow {
  const values = trials.map((trial) => columnValue(trial, column));
  const best = bestPlaces(column, values);
  const show = (value: Cell): string => (column === "duration" ? duration(value) : showCell(column, value));
  return {
    name: column,
    title: tableTitle(column),
    differs: new Set(values.map((value) => JSON.stringify(value))).size > 1,
    cells: values.map((value, place) => ({ text: show(value), isBest: best.has(place) })),
  };
}

/** Metrics and parameters of all trials: those that differ before those that do not, parameters before metrics. */
export function compareRows(trials: readonly Trial[]): CompareRow[] {
  const own = [...new Set(trials.flatMap(columnsOf))].filter((column) => column !== "metric.default");
  const isParameter = (column: string): boolean => column.startsWith("parameter.");
  const columns = [
    "metric",
    ...own.filter(isParameter),
    ...own.filter((column) => !isParameter(column)),
    "duration",
    "host",
  ];
  const rows = columns
    .map((column) => row(column, trials))
    .filter(({ cells }) => cells.some(({ text }) => text !== "–"));
  return [...rows.filter(({ differs }) => differs), ...rows.filter(({ differs }) => !differs)];
}
