// The daemon's views over all trials of an experiment: each is computed, sampled and bounded there.
import { address, fetchJson } from "./client";
import type { Cell } from "./trial_columns";
import type { JsonObject, Trial } from "./types";

export type ColumnGroup = "trial" | "parameter" | "metric";

export interface Column {
  readonly name: string;
  readonly group: ColumnGroup;
  readonly type: "number" | "text" | "boolean" | "time";
  readonly count: number;
  readonly min?: number;
  readonly max?: number;
  readonly log?: boolean;
  readonly values?: readonly { readonly value: Cell; readonly count: number }[];
  readonly goal?: "maximize" | "minimize";
}

export interface Columns {
  readonly trials: number;
  readonly items: readonly Column[];
}

export interface Table {
  readonly total: number;
  readonly matched: number;
  readonly sampled: boolean;
  readonly sequence: readonly number[];
  readonly id: readonly string[];
  readonly columns: Readonly<Record<string, readonly Cell[]>>;
}

export interface History {
  readonly total: number;
  readonly sequence: readonly number[];
  readonly value: readonly (number | null)[];
  readonly best: readonly (readonly [number, number])[];
}

export interface Front {
  readonly items: readonly { readonly id: string; readonly sequence: number; readonly values: readonly number[] }[];
  readonly points: {
    readonly sequence: readonly number[];
    readonly id: readonly string[];
    readonly values: readonly (readonly (number | null)[])[];
  };
  readonly baseline?: readonly (number | null)[];
}

export interface Importance {
  readonly trials?: number;
  readonly topTrials?: number;
  readonly items?: readonly { readonly parameter: string; readonly importance: number; readonly regimes: number }[];
  readonly reason?: string;
}

export interface Timeline {
  readonly lanes: readonly { readonly host: string; readonly slot: number }[];
  readonly items: readonly {
    readonly lane: number;
    readonly id: string;
    readonly sequence: number;
    readonly attempt: number;
    readonly status: string;
    readonly start: number;
    readonly end?: number;
  }[];
  readonly sampled: boolean;
}

export interface Layers {
  readonly layers: readonly string[];
  readonly trials: readonly { readonly id: string; readonly sequence: number; readonly metric: number | null }[];
  readonly values: readonly (readonly (number | null)[])[];
}

export interface Intermediates {
  readonly items: readonly {
    readonly id: string;
    readonly sequence: number;
    readonly x: readonly number[];
    readonly y: readonly (number | null)[];
  }[];
}

export interface TrialPage {
  readonly items: readonly Trial[];
  readonly nextCursor?: string;
  readonly total?: number;
}

/** What is wrong with a configuration, before it is submitted. */
export interface Check {
  readonly valid: boolean;
  readonly errors: readonly { readonly field?: string; readonly line?: number; readonly message: string }[];
  readonly warnings: readonly string[];
  readonly config?: JsonObject;
}

type Signal = AbortSignal | undefined;

function view<T>(id: string, name: string, query: object, signal: Signal): Promise<T> {
  return fetchJson<T>(address(`/api/v1/experiments/{id}/${name}`, { id }, query), signal ? { signal } : {});
}

export const analysis = {
  columns: (id: string, signal?: Signal) => view<Columns>(id, "columns", {}, signal),
  table: (
    id: string,
    query: {
      columns: readonly string[];
      filter?: string;
      sort?: string;
      limit?: number;
      offset?: number;
      sample?: number;
    },
    signal?: Signal,
  ) => view<Table>(id, "table", query, signal),
  history: (id: string, query: { column?: string; points?: number }, signal?: Signal) =>
    view<History>(id, "history", query, signal),
  front: (
    id: string,
    query: { objectives: readonly string[]; filter?: string; constraint?: string },
    signal?: Signal,
  ) => view<Front>(id, "front", query, signal),
  importance: (id: string, query: { column?: string; top?: number }, signal?: Signal) =>
    view<Importance>(id, "importance", query, signal),
  timeline: (id: string, query: { points?: number }, signal?: Signal) => view<Timeline>(id, "timeline", query, signal),
  layers: (id: string, query: { value: string; trials?: number; sort?: string }, signal?: Signal) =>
    view<Layers>(id, "layers", query, signal),
  intermediates: (id: string, query: { trials?: readonly string[]; top?: number; points?: number }, signal?: Signal) =>
    view<Intermediates>(id, "intermediates", query, signal),
  trials: (
    id: string,
    query: { sort?: string; filter?: string; offset?: number; limit?: number; cursor?: string },
    signal?: Signal,
  ) => view<TrialPage>(id, "trials", query, signal),
  check: (text: string, directory: string, signal?: Signal) =>
    fetchJson<Check>(address("/api/v1/experiments/check", {}, { directory }), {
      method: "POST",
      body: text,
      headers: { "Content-Type": "application/yaml" },
      ...(signal ? { signal } : {}),
    }),
  schema: (name: "experiment" | "search-space", signal?: Signal) =>
    fetchJson<JsonObject>(`/api/v1/schema/${name}`, signal ? { signal } : {}),
};
