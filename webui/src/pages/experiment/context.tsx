import { createContext, useContext, useEffect } from "react";
import type { BatchListener, ExperimentLive } from "../../api/experiment_live";
import type { Experiment } from "../../api/types";

interface Shown {
  readonly live: ExperimentLive;
  readonly experiment: Experiment;
}

export const ExperimentContext = createContext<Shown | null>(null);

/** The experiment whose page this is. */
export function useExperiment(): Shown {
  const shown = useContext(ExperimentContext);
  if (!shown) throw new Error("there is no experiment around this component");
  return shown;
}

/** Calls `listener` with each batch of events. `listener` must be stable. */
export function useBatches(listener: BatchListener): void {
  const { live } = useExperiment();
  useEffect(() => live.onBatch(listener), [live, listener]);
}
