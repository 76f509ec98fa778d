// Tables as CSV (RFC 4180), with the daemon's own care: text that a spreadsheet would run as a formula gets an apostrophe.

type Value = string | number | boolean | null | undefined;
export type CsvRow = readonly Value[];

function field(value: Value): string {
  if (value === null || value === undefined) return "";
  if (typeof value === "number") return Number.isFinite(value) ? String(value) : "";
  const text = String(value);
  const guarded = /^[=+\-@\t\r]/.test(text) ? `'${text}` : text;
  return /[",\r\n]/.test(guarded) ? `"${guarded.replaceAll('"', '""')}"` : guarded;
}

export const csvText = (rows: readonly CsvRow[]): string =>
  rows.map((row) => row.map(field).join(",")).join("\r\n") + "\r\n";
