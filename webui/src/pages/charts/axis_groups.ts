// Nested search spaces have parameters that only some trials have. Drawn on one set of axes, their lines would have gaps; so
// each choice gets a group of axes of its own, with the parameters that its trials have.
import type { TableRow } from "./table_data";

export interface AxisGroup {
  /** What was chosen, `prune_method = l1`; empty where there is nothing to choose. */
  readonly title: string;
  /** The choices that its rows have made, by column. */
  readonly choices: readonly (readonly [column: string, value: string])[];
  /** Places of the columns whose values differ from trial to trial or could. */
  readonly columns: readonly number[];
  readonly rows: readonly TableRow[];
}

const isChoice = (column: string): boolean => column.endsWith("._name");

/** The name of a choice as its parameter is called. */
const choiceTitle = (column: string): string => column.replace(/^parameter\./, "").replace(/\._name$/, "");

/**
 * The rows in groups with the same choices, the largest first. A group's columns are those that one of its rows has a value in,
 * without the choices, of which all its rows have the same.
 */
export function axisGroups(columns: readonly string[], rows: readonly TableRow[]): AxisGroup[] {
  const choices = columns.flatMap((column, place) => (isChoice(column) ? [place] : []));
  const groups = new Map<string, TableRow[]>();
  for (const row of rows) {
    const key = JSON.stringify(choices.map((place) => row.values[place] ?? null));
    groups.set(key, [...(groups.get(key) ?? []), row]);
  }
  return [...groups]
    .map(([key, members]): AxisGroup => {
      const made = JSON.parse(key) as (string | null)[];
      const chosen = choices.flatMap((place, index) => {
        const value = made[index];
        return value === null || value === undefined ? [] : [[columns[place] ?? "", value] as const];
      });
      const title = chosen.map(([column, value]) => `${choiceTitle(column)} = ${value}`).join(", ");
      const own = columns.flatMap((column, place) =>
        !isChoice(column) && members.some((row) => row.values[place] !== null) ? [place] : [],
      );
      return { title, choices: chosen, columns: own, rows: members };
    })
    .sort((a, b) => b.rows.length - a.rows.length || a.title.localeCompare(b.title));
}
