// The daemon's views over all trials of an experiment: each is computed, sampled and bounded there.
import { api, fetchJson, address } from "./client";
import type { components, operations } from "./generated/openapi";
import type { JsonObject } from "./types";

type Schemas = components["schemas"];
type QueryOf<O extends keyof operations> = NonNullable<operations[O]["parameters"]["query"]>;

export type Columns = Schemas["Columns"];
export type Column = Columns["items"][number];
export type ColumnGroup = Column["group"];
export type Table = Schemas["Table"];
export type History = Schemas["History"];
export type Front = Schemas["Front"];
export type Importance = Schemas["Importance"];
export type Timeline = Schemas["Timeline"];
export type Layers = Schemas["Layers"];
export type Intermediates = Schemas["Intermediates"];
export type TrialPage = Schemas["TrialPage"];
/** What is wrong with a configuration, before it is submitted. */
export type Check = Schemas["ConfigCheck"];

type Signal = AbortSignal | undefined;

const at = (id: string, query: unknown, signal: Signal) => ({ path: { id }, query: query as never, signal });

export const analysis = {
  columns: (id: string, signal?: Signal) => api.get("/api/v1/experiments/{id}/columns", at(id, {}, signal)),
  table: (id: string, query: QueryOf<"showTable">, signal?: Signal) =>
    api.get("/api/v1/experiments/{id}/table", at(id, query, signal)),
  history: (id: string, query: QueryOf<"showHistory">, signal?: Signal) =>
    api.get("/api/v1/experiments/{id}/history", at(id, query, signal)),
  front: (id: string, query: QueryOf<"showFront">, signal?: Signal) =>
    api.get("/api/v1/experiments/{id}/front", at(id, query, signal)),
  importance: (id: string, query: QueryOf<"showImportance">, signal?: Signal) =>
    api.get("/api/v1/experiments/{id}/importance", at(id, query, signal)),
  timeline: (id: string, query: QueryOf<"showTimeline">, signal?: Signal) =>
    api.get("/api/v1/experiments/{id}/timeline", at(id, query, signal)),
  layers: (id: string, query: QueryOf<"listLayers">, signal?: Signal) =>
    api.get("/api/v1/experiments/{id}/layers", at(id, query, signal)),
  intermediates: (id: string, query: QueryOf<"listIntermediates">, signal?: Signal) =>
    api.get("/api/v1/experiments/{id}/intermediates", at(id, query, signal)),
  trials: (id: string, query: QueryOf<"listTrials">, signal?: Signal) =>
    api.get("/api/v1/experiments/{id}/trials", at(id, query, signal)),
  check: (text: string, directory: string, signal?: Signal) =>
    api.post("/api/v1/experiments/check", { body: text, query: directory ? { directory } : {}, signal }),
  schema: (name: "experiment" | "search-space", signal?: Signal) =>
    fetchJson<JsonObject>(address(`/api/v1/schema/${name}`), signal ? { signal } : {}),
};
