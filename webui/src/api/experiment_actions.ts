// What a user does to an experiment or a trial.
import { api } from "./client";
import type { Experiment, ExperimentChange, JsonObject, Trial } from "./types";

const at = (id: string): { path: { id: string } } => ({ path: { id } });

export const stopExperiment = (id: string): Promise<Experiment> => api.post("/api/v1/experiments/{id}/stop", at(id));
export const resumeExperiment = (id: string): Promise<Experiment> =>
  api.post("/api/v1/experiments/{id}/resume", at(id));
export const deleteExperiment = (id: string): Promise<void> => api.delete("/api/v1/experiments/{id}", at(id));
export const changeExperiment = (id: string, body: ExperimentChange): Promise<Experiment> =>
  api.patch("/api/v1/experiments/{id}", { ...at(id), body });

export const cancelTrial = (trial: Trial): Promise<Trial> =>
  api.post("/api/v1/experiments/{id}/trials/{tid}/cancel", { path: { id: trial.experimentId, tid: trial.id } });
export const addTrial = (id: string, parameters: JsonObject): Promise<Trial> =>
  api.post("/api/v1/experiments/{id}/trials", { ...at(id), body: { parameters } });

export const createExperiment = (text: string, directory: string): Promise<Experiment> =>
  api.post("/api/v1/experiments", { body: text, query: directory ? { directory } : {} });
