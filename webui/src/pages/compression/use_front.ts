import { useCallback, useEffect, useMemo, useState } from "react";
import { analysis } from "../../api/analysis";
import type { Batch } from "../../api/experiment_live";
import { columnValue } from "../../api/trial_columns";
import type { Trial } from "../../api/types";
import { useLoad, type Loaded } from "../../api/use_load";
import { useBatches, useExperiment } from "../experiment/context";
import { constraintText, objectiveText, type Constraint, type Objective } from "./objectives";
import { frontOf, withEnded, type FrontData } from "./pareto";

/** The front of some objectives, to which events add the trials that end. */
export function useFront(objectives: readonly Objective[], constraint: Constraint | null): Loaded<FrontData> {
  const { experiment } = useExperiment();
  const asked = objectives.map(objectiveText);
  const limit = constraint ? constraintText(constraint) : "";
  const key = `${asked.join(" ")} ${limit}`;
  const loaded = useLoad(
    async (signal) =>
      frontOf(
        await analysis.front(experiment.id, { objectives: asked, ...(limit ? { constraint: limit } : {}) }, signal),
      ),
    [experiment.id, key],
  );
  const [state, setState] = useState<{ key: string; data: FrontData }>();
  useEffect(() => {
    if (loaded.data) setState({ key, data: loaded.data });
    // Other objectives come with the next answer.
  }, [loaded.data]);
  const { reload } = loaded;
  const columns = useMemo(() => objectives.map(({ column }) => column), [key]);
  const goals = useMemo(() => objectives.map(({ measure }) => measure.goal), [key]);
  const least = constraint?.least;
  const take = useCallback(
    ({ trials, wasReset }: Batch) => {
      if (wasReset) reload();
      const isAllowed = (trial: Trial): boolean => {
        const value = constraint ? columnValue(trial, constraint.column) : null;
        return !constraint || (typeof value === "number" && value >= constraint.least);
      };
      setState((before) => before && { ...before, data: withEnded(before.data, trials, columns, goals, isAllowed) });
    },
    [reload, columns, goals, least],
  );
  useBatches(take);
  return { ...loaded, data: state?.key === key ? state.data : undefined };
}
