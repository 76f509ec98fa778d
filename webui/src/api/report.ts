// report.json of a trial of the built-in program: what was cut where, and what it cost.
import { fetchJson } from "./client";

export interface LayerReport {
  readonly name: string;
  readonly type: string;
  readonly shape_before?: readonly number[];
  readonly shape_after?: readonly number[];
  readonly sparsity?: number;
  readonly macs_before?: number;
  readonly macs_after?: number;
  readonly bits?: number;
  readonly latency_ms_before?: number;
  readonly latency_ms_after?: number;
}

export interface GraphNode {
  /** Path of the module; empty for an operator, the input and the output. */
  readonly layer: string;
  /** Class of the module, or name of the operator. */
  readonly type: string;
  /** Of what it returns, with the batch axis; empty where that is no single tensor. */
  readonly shape_before?: readonly number[];
  readonly shape_after?: readonly number[];
}

export interface Report {
  readonly algorithm?: string;
  readonly metrics?: Readonly<Record<string, unknown>>;
  readonly baseline?: Readonly<Record<string, unknown>>;
  readonly layers?: readonly LayerReport[];
  readonly graph?: {
    readonly nodes: readonly GraphNode[];
    /** From, to: places of nodes. */
    readonly edges: readonly (readonly [from: number, to: number])[];
  };
  readonly seconds?: number;
  readonly max_difference?: number;
}

export const fetchReport = (experimentId: string, trialId: string, signal?: AbortSignal): Promise<Report> =>
  fetchJson<Report>(
    `/api/v1/experiments/${encodeURIComponent(experimentId)}/trials/${encodeURIComponent(trialId)}/files/report.json`,
    signal ? { signal } : {},
  );

/** Output channels before and after, from the first number of a weight's shape. */
export const channelsOf = ({
  shape_before,
  shape_after,
}: LayerReport): { before: number | null; after: number | null } => ({
  before: shape_before?.[0] ?? null,
  after: shape_after?.[0] ?? null,
});
