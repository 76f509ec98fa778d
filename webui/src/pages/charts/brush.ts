// What is brushed on the axes of parallel coordinates.
import { filterName, filterValue } from "../trials/filter_text";
import type { TableRow } from "./table_data";

/** Intervals by column; a category axis is brushed by the places of its categories. */
export type Brushes = ReadonlyMap<string, readonly (readonly [number, number])[]>;

export interface Axis {
  readonly column: string;
  readonly place: number;
  /** The values of an axis of words. */
  readonly categories: readonly string[] | null;
}

/** The values of an axis that an interval covers. */
const covered = (categories: readonly string[], [from, to]: readonly [number, number]): string[] =>
  categories.filter((_, index) => index >= from - 0.5 && index <= to + 0.5);

export function isBrushed(row: TableRow, axes: readonly Axis[], brushes: Brushes): boolean {
  return axes.every(({ column, place, categories }) => {
    const intervals = brushes.get(column);
    if (!intervals?.length) return true;
    const value = row.values[place];
    const at = categories ? categories.indexOf(String(value)) : value;
    return (
      typeof at === "number" && intervals.some(([from, to]) => at >= Math.min(from, to) && at <= Math.max(from, to))
    );
  });
}

/** The same as a filter of the trials table. */
export function brushFilter(axes: readonly Axis[], brushes: Brushes): string {
  return axes
    .flatMap(({ column, categories }) => {
      const intervals = brushes.get(column) ?? [];
      const name = filterName(column);
      if (intervals.length === 0) return [];
      if (categories) {
        const values = [...new Set(intervals.flatMap((interval) => covered(categories, interval)))];
        return [`${name} in (${values.map(filterValue).join(", ")})`];
      }
      const parts = intervals.map(([from, to]) => {
        const [low, high] = [Math.min(from, to), Math.max(from, to)].map((value) =>
          String(Number(value.toPrecision(6))),
        );
        return `${name} >= ${low} and ${name} <= ${high}`;
      });
      return [
        parts.length === 1
          ? (parts[0] ?? "")
          : parts
              .map((part) => `(${part})`)
              .join(" or ")
              .replace(/^(.*)$/, "($1)"),
      ];
    })
    .join(" and ");
}
