import { useCallback, useEffect, useState, type ReactNode } from "react";
import { api } from "../../api/client";
import type { Batch } from "../../api/experiment_live";
import { useLoad } from "../../api/use_load";
import { ComparisonTable } from "../../parts/comparison_table";
import { useBatches, useExperiment } from "../experiment/context";

/** The original model beside the best one so far. */
export function Baseline(): ReactNode {
  const { experiment } = useExperiment();
  const bestId = experiment.best?.trialId;
  const loaded = useLoad(
    async (signal) =>
      bestId === undefined
        ? undefined
        : api.get("/api/v1/experiments/{id}/trials/{tid}", { path: { id: experiment.id, tid: bestId }, signal }),
    [experiment.id, bestId],
  );
  const [metrics, setMetrics] = useState<unknown>();
  useEffect(() => setMetrics(loaded.data?.finalMetric), [loaded.data]);
  const take = useCallback(
    ({ trials }: Batch) => {
      const best = trials.find(({ id }) => id === bestId);
      if (best) setMetrics(best.finalMetric);
    },
    [bestId],
  );
  useBatches(take);
  if (!experiment.baseline && metrics === undefined) return <p className="soft">The original is not measured yet.</p>;
  return <ComparisonTable before={experiment.baseline} after={metrics} />;
}
