import { useEffect, useRef } from "react";
import type { Column } from "../../api/analysis";
import { columnsOf } from "../../api/trial_columns";
import type { Experiment, Trial } from "../../api/types";
import { useColumns } from "../../api/use_columns";

const column = (name: string, type: Column["type"], group: Column["group"] = "trial"): Column => ({
  name,
  type,
  group,
  count: 0,
});

/** What every trial has. */
export const trialColumns: readonly Column[] = [
  column("sequence", "number"),
  column("id", "text"),
  column("status", "text"),
  column("metric", "number"),
  column("duration", "number"),
  column("source", "text"),
  column("host", "text"),
  column("attempt", "number"),
  column("submitTime", "time"),
  column("startTime", "time"),
  column("endTime", "time"),
  column("intermediateCount", "number"),
  column("reason", "text"),
];

/**
 * The columns that the trials of an experiment have. The daemon knows them all; those of the trials on screen are there at once,
 * and new parameters or metrics come with the first trials that end.
 */
export function useTrialColumns(experiment: Experiment, rows: ReadonlyMap<number, Trial>): readonly Column[] {
  const { data } = useColumns(experiment);
  const seen = useRef(new Map<string, Column>());
  useEffect(() => seen.current.clear(), [experiment.id]);
  for (const trial of rows.values()) {
    for (const name of columnsOf(trial)) {
      if (!seen.current.has(name))
        seen.current.set(name, column(name, "number", name.startsWith("metric.") ? "metric" : "parameter"));
    }
  }
  const told = new Map((data?.items ?? []).map((each) => [each.name, each]));
  const all = new Map([...trialColumns.map((each) => [each.name, each] as const), ...seen.current, ...told]);
  return [...all.values()];
}
