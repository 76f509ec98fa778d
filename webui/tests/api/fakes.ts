import type { Experiment, Trial } from "../../src/api/types";

export function experiment(changes: Partial<Experiment> = {}): Experiment {
  return {
    id: "aaaaaaaa",
    status: "RUNNING",
    createdTime: 1_000,
    runDuration: 10,
    nextSequence: 0,
    preparation: "NONE",
    warnings: [],
    counts: {},
    directory: "/data/aaaaaaaa",
    ...changes,
  } as Experiment;
}

export function trial(sequence: number, changes: Partial<Trial> = {}): Trial {
  return {
    experimentId: "aaaaaaaa",
    id: `T${String(sequence).padStart(4, "0")}`,
    sequence,
    status: "SUCCEEDED",
    source: "algorithm",
    parameters: {},
    attempt: 0,
    submitTime: 1_000,
    intermediateCount: 0,
    directory: "/data",
    ...changes,
  } as Trial;
}
