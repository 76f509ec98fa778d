import { useCallback, useEffect, useState } from "react";
import { analysis } from "../../api/analysis";
import type { Batch } from "../../api/experiment_live";
import { objectiveOf } from "../../api/objective";
import { columnValue } from "../../api/trial_columns";
import { useLoad, type Loaded } from "../../api/use_load";
import { useBatches, useExperiment } from "../experiment/context";
import { fromAnswer, withResults, type HistoryData } from "./history_data";

const mostPoints = 2_000;

/** The history of a column; events add to it, and only when it has grown much is it asked for again. */
export function useHistory(column: string): Loaded<HistoryData> {
  const { experiment } = useExperiment();
  const { goal } = objectiveOf(experiment);
  const loaded = useLoad(
    (signal) => analysis.history(experiment.id, { column, points: mostPoints }, signal),
    [experiment.id, column],
  );
  const [data, setData] = useState<HistoryData>();
  const [pending, setPending] = useState<(readonly [number, number])[]>([]);
  useEffect(() => {
    if (!loaded.data) return;
    setData(withResults(fromAnswer(loaded.data), pending, goal));
    setPending([]);
    // What has come meanwhile is merged once, when the answer is there.
  }, [loaded.data]);
  const { reload, isLoading } = loaded;
  const isLarge = (data?.points.length ?? 0) > 2 * mostPoints;
  useEffect(() => {
    if (isLarge) reload();
  }, [isLarge, reload]);
  const take = useCallback(
    ({ trials, wasReset }: Batch) => {
      if (wasReset) reload();
      const results = trials.flatMap((trial) => {
        const value = columnValue(trial, column);
        return typeof value === "number" ? [[trial.sequence, value] as const] : [];
      });
      if (results.length === 0) return;
      if (isLoading) setPending((before) => [...before, ...results]);
      setData((before) => before && withResults(before, results, goal));
    },
    [column, goal, reload, isLoading],
  );
  useBatches(take);
  return { ...loaded, data };
}
