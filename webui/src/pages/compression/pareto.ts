// Fronts: the points that no other point beats.
import type { Front } from "../../api/analysis";
import { columnValue } from "../../api/trial_columns";
import type { Trial } from "../../api/types";
import type { Goal } from "../../api/objective";

export interface Point {
  readonly id: string;
  readonly sequence: number;
  readonly values: readonly number[];
}

/** Whether `a` is at least as good in everything and better in something. */
export function dominates(a: readonly number[], b: readonly number[], goals: readonly Goal[]): boolean {
  let isBetter = false;
  for (let index = 0; index < goals.length; index++) {
    const sign = goals[index] === "maximize" ? 1 : -1;
    const difference = sign * ((a[index] ?? 0) - (b[index] ?? 0));
    if (difference < 0) return false;
    if (difference > 0) isBetter = true;
  }
  return isBetter;
}

const fromLeft = (a: Point, b: Point): number => (a.values[0] ?? 0) - (b.values[0] ?? 0) || a.sequence - b.sequence;

/** The points that no other dominates, by their first value; of equal points all stay. */
export function paretoFront(points: readonly Point[], goals: readonly Goal[]): Point[] {
  const front = points.filter((point) => !points.some((other) => dominates(other.values, point.values, goals)));
  return front.sort(fromLeft);
}

export interface FrontData {
  readonly front: readonly Point[];
  /** Points behind it; a sample when there are many. */
  readonly others: readonly Point[];
  readonly baseline: readonly (number | null)[] | null;
}

const isComplete = (values: readonly (number | null)[]): values is readonly number[] =>
  values.every((value) => value !== null);

export function frontOf({ items, points, baseline }: Pick<Front, "items" | "points" | "baseline">): FrontData {
  const ids = new Set(items.map(({ id }) => id));
  const others = points.id.flatMap((id, place): Point[] => {
    const values = points.values[place] ?? [];
    return !ids.has(id) && isComplete(values) ? [{ id, sequence: points.sequence[place] ?? 0, values }] : [];
  });
  // The daemon names the best first; the line goes from left to right.
  const front = items.flatMap(({ id, sequence, values }): Point[] =>
    isComplete(values) ? [{ id, sequence, values }] : [],
  );
  return { front: front.sort(fromLeft), others, baseline: baseline ?? null };
}

/**
 * Adds trials that have ended since. Only the front and the news are compared: a point behind the front stays behind it.
 * What does not meet the constraint cannot be on the front.
 */
export function withEnded(
  data: FrontData,
  trials: readonly Trial[],
  columns: readonly string[],
  goals: readonly Goal[],
  isAllowed: (trial: Trial) => boolean,
): FrontData {
  const known = new Set([...data.front, ...data.others].map(({ id }) => id));
  const news = trials.flatMap((trial): (Point & { isAllowed: boolean })[] => {
    const values = columns.map((column) => columnValue(trial, column));
    const isNumber = values.every((value) => typeof value === "number");
    if (known.has(trial.id) || trial.status !== "SUCCEEDED" || !isNumber) return [];
    return [{ id: trial.id, sequence: trial.sequence, values: values as number[], isAllowed: isAllowed(trial) }];
  });
  if (news.length === 0) return data;
  const candidates = [...data.front, ...news.filter((point) => point.isAllowed)];
  const front = paretoFront(candidates, goals);
  const onFront = new Set(front.map(({ id }) => id));
  const behind = [...data.front, ...news].filter(({ id }) => !onFront.has(id));
  return { ...data, front, others: [...data.others, ...behind] };
}
