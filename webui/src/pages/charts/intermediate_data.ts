// Curves of intermediate results: what the daemon has, and what has come since.
import type { Intermediates } from "../../api/analysis";
import { atPath } from "../../api/trial_columns";
import type { Metric } from "../../api/types";

export interface Curve {
  readonly id: string;
  readonly sequence: number;
  readonly points: readonly (readonly [number, number])[];
}

export function curvesOf({ items }: Intermediates): Curve[] {
  return items.map(({ id, sequence, x, y }) => ({
    id,
    sequence,
    points: x.flatMap((at, index) => {
      const value = y[index];
      return value === null || value === undefined ? [] : [[at, value] as const];
    }),
  }));
}

/** The number of a reported value; a dict reports it as `default`. */
export function metricNumber(value: unknown): number | null {
  const plain = typeof value === "object" ? atPath(value, "default") : value;
  return typeof plain === "number" && Number.isFinite(plain) ? plain : null;
}

/** Adds what the curves' trials have reported since; a sequence that is known takes the new value. */
export function withMetrics(curves: readonly Curve[], metrics: readonly Metric[]): readonly Curve[] {
  const ids = new Set(curves.map(({ id }) => id));
  const news = metrics.filter(({ trialId, type }) => type === "PERIODICAL" && ids.has(trialId));
  if (news.length === 0) return curves;
  return curves.map((curve) => {
    const points = new Map(curve.points);
    for (const { trialId, sequence, value } of news) {
      const y = metricNumber(value);
      if (trialId === curve.id && y !== null) points.set(sequence, y);
    }
    return { ...curve, points: [...points].sort((a, b) => a[0] - b[0]) };
  });
}

/** Only the parts of the curves with an index from `from` on. */
export const fromIndex = (curves: readonly Curve[], from: number): Curve[] =>
  curves.map((curve) => ({ ...curve, points: curve.points.filter(([x]) => x >= from) }));
