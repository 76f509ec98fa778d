// Numbers of a layer that its report implies.
import type { LayerReport } from "../../api/report";

export interface LayerRow {
  readonly layer: LayerReport;
  /** Output channels. */
  readonly before: number | null;
  readonly after: number | null;
  /** Of the model's MACs before; null where the report has none. */
  readonly macShare: number | null;
  /** Of the original's own MACs that are left. */
  readonly macsKept: number | null;
  /** Of the compressed model's time. */
  readonly latencyShare: number | null;
}

const sum = (values: readonly (number | undefined)[]): number =>
  values.reduce<number>((total, value) => total + (value ?? 0), 0);

const ratio = (value: number | undefined, whole: number | undefined): number | null =>
  value === undefined || whole === undefined || whole === 0 ? null : value / whole;

export function layerRows(layers: readonly LayerReport[]): LayerRow[] {
  const macs = sum(layers.map(({ macs_before }) => macs_before));
  const time = sum(layers.map(({ latency_ms_after }) => latency_ms_after));
  return layers.map((layer) => ({
    layer,
    before: layer.shape_before?.[0] ?? null,
    after: layer.shape_after?.[0] ?? null,
    macShare: ratio(layer.macs_before, macs),
    macsKept: ratio(layer.macs_after, layer.macs_before),
    latencyShare: ratio(layer.latency_ms_after, time),
  }));
}

export const shapeText = (shape: readonly number[] | undefined): string => (shape ? shape.join(" × ") : "–");
