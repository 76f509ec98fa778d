// Numbers for people: short, aligned, and never more digits than mean something.

const none = "–";
const isNumber = (value: unknown): value is number => typeof value === "number" && Number.isFinite(value);

/** Four significant digits; whole numbers with their thousands. */
export function number(value: unknown): string {
  if (!isNumber(value)) return none;
  if (Number.isInteger(value)) return count(value);
  const size = Math.abs(value);
  if (size >= 1e15 || size < 1e-4) return value.toExponential(3);
  return size >= 10_000 ? count(Math.round(value)) : String(Number(value.toPrecision(4)));
}

export function count(value: unknown): string {
  if (isNumber(value) && Math.abs(value) >= 1e10) return short(value);
  return isNumber(value) ? value.toLocaleString("en-GB", { maximumFractionDigits: 0 }) : none;
}

/** 12345678 → 12.3 M */
export function short(value: unknown): string {
  if (!isNumber(value)) return none;
  const size = Math.abs(value);
  for (const [factor, unit] of [
    [1e12, "T"],
    [1e9, "G"],
    [1e6, "M"],
    [1e3, "k"],
  ] as const) {
    if (size >= factor) return `${Number((value / factor).toPrecision(3))} ${unit}`;
  }
  return number(value);
}

export function bytes(value: unknown): string {
  if (!isNumber(value)) return none;
  for (const [factor, unit] of [
    [1e12, "TB"],
    [1e9, "GB"],
    [1e6, "MB"],
    [1e3, "kB"],
  ] as const) {
    if (Math.abs(value) >= factor) return `${Number((value / factor).toPrecision(4))} ${unit}`;
  }
  return `${value} B`;
}

export function percent(value: unknown, digits = 2): string {
  return isNumber(value) ? `${(100 * value).toFixed(digits)} %` : none;
}

export function milliseconds(value: unknown): string {
  if (!isNumber(value)) return none;
  return value >= 1000 ? `${number(value / 1000)} s` : `${Number(value.toPrecision(4))} ms`;
}

export function factor(value: unknown): string {
  return isNumber(value) ? `${value.toFixed(2)} ×` : none;
}
