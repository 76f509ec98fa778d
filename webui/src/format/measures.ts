import { bytes, count, factor, milliseconds, number, percent } from "./number";

/** What lathe-trial measures of a model. */
export interface Measure {
  readonly key: string;
  readonly title: string;
  readonly show: (value: unknown) => string;
  /** Whether a good model has more or less of it. */
  readonly goal: "maximize" | "minimize";
  /** Whether a change is told in points of a percentage rather than as a ratio. */
  readonly isShare: boolean;
}

const measure = (
  key: string,
  title: string,
  show: Measure["show"],
  goal: Measure["goal"],
  isShare = false,
): Measure => ({ key, title, show, goal, isShare });

export const measures: readonly Measure[] = [
  measure("accuracy", "Accuracy", percent, "maximize", true),
  measure("top5_accuracy", "Top-5 accuracy", percent, "maximize", true),
  measure("accuracy_drop", "Accuracy drop", percent, "minimize", true),
  measure("loss", "Loss", number, "minimize"),
  measure("parameters", "Parameters", count, "minimize"),
  measure("macs", "MACs", count, "minimize"),
  measure("size_bytes", "Size", bytes, "minimize"),
  measure("latency_ms", "Latency", milliseconds, "minimize"),
  measure("speedup", "Speed-up", factor, "maximize"),
  measure("sparsity", "Sparsity", percent, "maximize", true),
  measure("effective_bytes", "Effective size", bytes, "minimize"),
  measure("activation_bytes", "Activations", bytes, "minimize"),
  measure("int8_accuracy", "Accuracy (int8)", percent, "maximize", true),
  measure("int8_loss", "Loss (int8)", number, "minimize"),
  measure("int8_latency_ms", "Latency (int8)", milliseconds, "minimize"),
  measure("int8_speedup", "Speed-up (int8)", factor, "maximize"),
  measure("int8_size_bytes", "Size (int8)", bytes, "minimize"),
];

const byKey = new Map(measures.map((each) => [each.key, each]));

/** The measure of a metric's key, or of an objective, which is spelled `sizeBytes` where the metric is `size_bytes`. */
export const measureOf = (key: string): Measure | undefined =>
  byKey.get(key.replace(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`));

/** The change from one model to another in words, and whether it is for the better; null where there is none to tell. */
export function change(
  { goal, isShare }: Measure,
  before: unknown,
  after: unknown,
): { text: string; isBetter: boolean | null } | null {
  if (typeof before !== "number" || typeof after !== "number" || (!isShare && before === 0)) return null;
  const difference = isShare ? 100 * (after - before) : 100 * (after / before - 1);
  const text = `${difference > 0 ? "+" : ""}${difference.toFixed(2)} ${isShare ? "points" : "%"}`;
  if (Math.abs(difference) < 0.005) return { text: isShare ? "0.00 points" : "0.00 %", isBetter: null };
  return { text, isBetter: difference > 0 === (goal === "maximize") };
}

/** A column's value as its measure shows it: `metric.size_bytes` as bytes, anything else as it is. */
export function showCell(column: string, value: unknown): string {
  if (value === null || value === undefined) return "–";
  const known = column.startsWith("metric.") ? byKey.get(column.slice("metric.".length)) : undefined;
  if (known) return known.show(value);
  return typeof value === "number" ? number(value) : String(value);
}
