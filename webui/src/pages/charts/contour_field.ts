// A smooth surface through scattered results, for the background of the contour plot.

export interface Sample {
  /** Both scaled to 0 … 1. */
  readonly x: number;
  readonly y: number;
  readonly value: number;
}

const neighbours = 8;

/**
 * The value at a point: the mean of the nearest samples, weighed by the inverse square of their distance (Shepard 1968). At a
 * sample it is the sample's own.
 */
export function interpolate(samples: readonly Sample[], x: number, y: number): number | null {
  const nearest: { distance: number; value: number }[] = [];
  for (const sample of samples) {
    const distance = (sample.x - x) ** 2 + (sample.y - y) ** 2;
    const last = nearest.at(-1);
    if (nearest.length === neighbours && last && distance >= last.distance) continue;
    const place = nearest.findIndex((other) => other.distance > distance);
    nearest.splice(place < 0 ? nearest.length : place, 0, { distance, value: sample.value });
    if (nearest.length > neighbours) nearest.pop();
  }
  const first = nearest[0];
  if (!first) return null;
  if (first.distance < 1e-12) return first.value;
  const weights = nearest.map(({ distance }) => 1 / distance);
  const total = weights.reduce((sum, weight) => sum + weight, 0);
  return nearest.reduce((sum, { value }, index) => sum + value * ((weights[index] ?? 0) / total), 0);
}

/** Interpolated values in the middles of size × size cells, as `[column, row, value]`. */
export function field(samples: readonly Sample[], size: number): [number, number, number][] {
  const cells: [number, number, number][] = [];
  for (let row = 0; row < size; row++) {
    for (let column = 0; column < size; column++) {
      const value = interpolate(samples, (column + 0.5) / size, (row + 0.5) / size);
      if (value !== null) cells.push([column, row, value]);
    }
  }
  return cells;
}
