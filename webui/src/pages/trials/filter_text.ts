// Text of filter expressions: what the daemon's grammar takes for a name or a value, and how a half-written one goes on.
import type { Column } from "../../api/analysis";

/** A value as the grammar wants it: quoted unless it is one plain word or number. */
export function filterValue(value: unknown): string {
  const text = String(value);
  const isWord = /^[\w.+-]+$/.test(text) && !/^(and|or|not|in|is|missing)$/i.test(text);
  return isWord ? text : `"${text.replace(/(["\\])/g, "\\$1")}"`;
}

/** A column's name as the grammar wants it: quoted when it has characters that mean something there. */
export const filterName = (column: string): string =>
  /[\s"'(),=!<>~]/.test(column) ? `"${column.replace(/(["\\])/g, "\\$1")}"` : column;

/** Both conditions at once. */
export function both(a: string, b: string): string {
  if (!a || !b) return a || b;
  const group = (text: string): string => (/\bor\b/i.test(text) ? `(${text})` : text);
  return `${group(a)} and ${group(b)}`;
}

const most = 12;

/** Whole expressions that go on from a half-written one: a column's name, or a value of the column before an operator. */
export function completeFilter(text: string, columns: readonly Column[]): string[] {
  const value = /^(.*?)([\w.]+)\s*(=|!=)\s*([\w.]*)$/.exec(text);
  if (value) {
    const [, before = "", name = "", operator = "", begun = ""] = value;
    const known = columns.find((column) => column.name === name)?.values ?? [];
    return known
      .map((each) => String(each.value))
      .filter((each) => each.toLowerCase().startsWith(begun.toLowerCase()))
      .slice(0, most)
      .map((each) => `${before}${name} ${operator} ${filterValue(each)}`);
  }
  const word = /[\w.]*$/.exec(text)?.[0] ?? "";
  const before = text.slice(0, text.length - word.length);
  const isNameExpected = before === "" || /(\band|\bor|\bnot|\()\s*$/i.test(before);
  if (!isNameExpected || word === "") return [];
  return columns
    .filter(({ name }) => name.toLowerCase().includes(word.toLowerCase()))
    .slice(0, most)
    .map(({ name }) => `${before}${name} `);
}
