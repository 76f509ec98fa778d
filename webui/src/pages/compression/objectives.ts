// What a front is about: two or three measures, and the constraint that the experiment was given.
import type { Column } from "../../api/analysis";
import { atPath, columnTitle } from "../../api/trial_columns";
import type { Experiment } from "../../api/types";
import { measureOf, type Measure } from "../../format/measures";

/** A measure as an objective of a front. */
export interface Objective {
  readonly column: string;
  readonly measure: Measure;
}

/** Values that a model is better with; the first two that are there are shown at first. */
const wanted = [
  "accuracy",
  "loss",
  "size_bytes",
  "parameters",
  "macs",
  "latency_ms",
  "speedup",
  "sparsity",
  "effective_bytes",
  "activation_bytes",
  "int8_accuracy",
  "int8_latency_ms",
];

/** The measures that trials of this experiment have reported. */
export function knownObjectives(columns: readonly Column[]): Objective[] {
  const names = new Set(columns.filter(({ count, type }) => count > 0 && type === "number").map(({ name }) => name));
  return wanted.flatMap((key) => {
    const column = `metric.${key}`;
    const measure = measureOf(columnTitle(column));
    return names.has(column) && measure ? [{ column, measure }] : [];
  });
}

/** An objective as the daemon reads it. */
export const objectiveText = ({ column, measure }: Objective): string =>
  `${column}:${measure.goal === "maximize" ? "max" : "min"}`;

export interface Constraint {
  readonly column: string;
  readonly least: number;
}

/** The least accuracy that the configuration asks for; null without a constraint or before the original is measured. */
export function constraintOf(experiment: Experiment): Constraint | null {
  const drop = atPath(experiment.config, "compression.objective.maxAccuracyDrop");
  const original = atPath(experiment.baseline, "accuracy");
  if (typeof drop !== "number" || typeof original !== "number") return null;
  return { column: "metric.accuracy", least: original - drop };
}

/** The constraint as a filter. */
export const constraintText = ({ column, least }: Constraint): string =>
  `${column} >= ${Number(least.toPrecision(10))}`;
