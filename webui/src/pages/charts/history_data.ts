// A metric against the number of the trial, with the best so far: what the daemon has, and what has come since.
import { byGoal, type Goal } from "../../api/objective";
import type { History } from "../../api/analysis";

export interface HistoryData {
  readonly total: number;
  /** `[sequence, value]`, by sequence. */
  readonly points: readonly (readonly [number, number])[];
  /** Each new best, by sequence. */
  readonly best: readonly (readonly [number, number])[];
}

export function fromAnswer({
  total,
  sequence,
  value,
  best,
}: Pick<History, "total" | "sequence" | "value" | "best">): HistoryData {
  const points = sequence.flatMap((number, index) => {
    const y = value[index];
    return y === undefined ? [] : [[number, y] as const];
  });
  return { total, points, best: best.map(([number = 0, y = 0]) => [number, y] as const) };
}

/** The best so far over points in order of their sequence. */
export function bestSoFar(points: readonly (readonly [number, number])[], goal: Goal): (readonly [number, number])[] {
  const better = byGoal(goal);
  const best: (readonly [number, number])[] = [];
  for (const point of points) {
    const last = best.at(-1);
    if (!last || better(point[1], last[1]) < 0) best.push(point);
  }
  return best;
}

/** Adds results that have come since; a sequence that is known takes the new value. */
export function withResults(
  data: HistoryData,
  results: readonly (readonly [number, number])[],
  goal: Goal,
): HistoryData {
  if (results.length === 0) return data;
  const values = new Map([...data.best, ...data.points, ...results]);
  const bestSequences = new Set(data.best.map(([sequence]) => sequence));
  const points = [...values].sort((a, b) => a[0] - b[0]);
  const known = new Set(data.points.map(([sequence]) => sequence));
  const added = results.filter(([sequence]) => !known.has(sequence) && !bestSequences.has(sequence)).length;
  return { total: data.total + added, points, best: bestSoFar(points, goal) };
}

/** A trial that breaks its experiment's constraint reports a metric that is worse than any other by orders of magnitude. */
const farAway = 1_000;

/** The data without what would squeeze all else into a line: values so much larger than the best that they are penalties. */
export function withoutPenalties(data: HistoryData): HistoryData {
  const last = data.best.at(-1);
  if (!last || last[1] === 0) return data;
  const isNear = ([, value]: readonly [number, number]): boolean => Math.abs(value) <= farAway * Math.abs(last[1]);
  return { ...data, points: data.points.filter(isNear), best: data.best.filter(isNear) };
}
