import { analysis, type Column, type Columns } from "./analysis";
import { progressOf } from "./objective";
import type { Experiment } from "./types";
import { useLoad, type Loaded } from "./use_load";

/** The columns of an experiment, asked for again each time that the number of ended trials has doubled. */
export function useColumns(experiment: Experiment): Loaded<Columns> {
  const { ended } = progressOf(experiment);
  const wave = ended === 0 ? -1 : Math.floor(Math.log2(ended));
  return useLoad((signal) => analysis.columns(experiment.id, signal), [experiment.id, wave]);
}

/** Columns of numbers that say how good a trial is: what the tuner sees, then the keys of the final metrics. */
export const metricColumns = (columns: readonly Column[]): readonly Column[] =>
  columns.filter(
    ({ name, group, type }) =>
      type === "number" && (name === "metric" || (group === "metric" && name !== "metric.default")),
  );

export const parameterColumns = (columns: readonly Column[]): readonly Column[] =>
  columns.filter(({ group, count }) => group === "parameter" && count > 0);
