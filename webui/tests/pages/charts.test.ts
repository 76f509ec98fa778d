import { describe, expect, it } from "vitest";
import { axisGroups } from "../../src/pages/charts/axis_groups";
import { brushFilter, isBrushed, type Axis } from "../../src/pages/charts/brush";
import { field, interpolate } from "../../src/pages/charts/contour_field";
import { bestSoFar, fromAnswer, withoutPenalties, withResults } from "../../src/pages/charts/history_data";
import { curvesOf, withMetrics } from "../../src/pages/charts/intermediate_data";
import { bestShare, rowsOf, withTrials, type TableRow } from "../../src/pages/charts/table_data";
import { busyShare, laneTitles, withAttempts } from "../../src/pages/charts/timeline_lanes";
import type { Metric } from "../../src/api/types";
import { trial } from "../api/fakes";

const row = (sequence: number, ...values: TableRow["values"]): TableRow => ({ id: `T${sequence}`, sequence, values });

describe("axisGroups", () => {
  const columns = ["parameter.prune._name", "parameter.prune.a", "parameter.prune.b", "parameter.lr"];

  it("gives each choice the axes of its own parameters", () => {
    const groups = axisGroups(columns, [
      row(0, "l1", 0.1, null, 1),
      row(1, "agp", null, 0.5, 1),
      row(2, "l1", 0.2, null, 2),
    ]);
    expect(groups.map(({ title }) => title)).toEqual(["prune = l1", "prune = agp"]);
    expect(groups.map((group) => group.columns)).toEqual([
      [1, 3],
      [2, 3],
    ]);
    expect(groups[0]?.rows.map(({ sequence }) => sequence)).toEqual([0, 2]);
  });

  it("is one group where there is nothing to choose", () => {
    const groups = axisGroups(["parameter.x", "parameter.y"], [row(0, 1, 2), row(1, 3, 4)]);
    expect(groups).toHaveLength(1);
    expect(groups[0]).toMatchObject({ title: "", columns: [0, 1] });
  });

  it("groups by all choices of a doubly nested space", () => {
    const nested = ["parameter.a._name", "parameter.a.b._name"];
    const groups = axisGroups(nested, [row(0, "x", "u"), row(1, "x", "v"), row(2, "y", null)]);
    expect(groups.map(({ title }) => title).sort()).toEqual(["a = x, a.b = u", "a = x, a.b = v", "a = y"]);
  });
});

describe("brushes", () => {
  const axes: Axis[] = [
    { column: "parameter.x", place: 0, categories: null },
    { column: "parameter.kind", place: 1, categories: ["a b", "c"] },
  ];
  it("keep the rows within every axis", () => {
    const brushes = new Map([
      ["parameter.x", [[0.2, 0.4]] as const],
      ["parameter.kind", [[-0.2, 0.3]] as const],
    ]);
    expect(isBrushed(row(0, 0.3, "a b"), axes, brushes)).toBe(true);
    expect(isBrushed(row(1, 0.5, "a b"), axes, brushes)).toBe(false);
    expect(isBrushed(row(2, 0.3, "c"), axes, brushes)).toBe(false);
    expect(isBrushed(row(3, null, "a b"), axes, brushes)).toBe(false);
    expect(brushFilter(axes, brushes)).toBe('parameter.x >= 0.2 and parameter.x <= 0.4 and parameter.kind in ("a b")');
  });
  it("join intervals of one axis by or", () => {
    const brushes = new Map([["parameter.x", [[0, 1] as const, [3, 2] as const]]]);
    expect(brushFilter(axes, brushes)).toBe(
      "((parameter.x >= 0 and parameter.x <= 1) or (parameter.x >= 2 and parameter.x <= 3))",
    );
    expect(isBrushed(row(0, 2.5, "c"), axes, brushes)).toBe(true);
    expect(brushFilter(axes, new Map())).toBe("");
  });
});

describe("history", () => {
  it("adds results and the best so far, in the order of the trials", () => {
    const start = fromAnswer({
      total: 3,
      sequence: [0, 1, 2],
      value: [1, 2, 3],
      best: [
        [0, 1],
        [2, 3],
      ],
    });
    expect(start.points).toEqual([
      [0, 1],
      [1, 2],
      [2, 3],
    ]);
    const next = withResults(
      start,
      [
        [4, 5],
        [3, 2],
      ],
      "maximize",
    );
    expect(next.points).toEqual([
      [0, 1],
      [1, 2],
      [2, 3],
      [3, 2],
      [4, 5],
    ]);
    expect(next.best).toEqual([
      [0, 1],
      [1, 2],
      [2, 3],
      [4, 5],
    ]);
    expect(next.total).toBe(5);
    expect(withResults(next, [[4, 5]], "maximize").total).toBe(5);
  });
  it("keeps bests that down-sampling has left out of the points", () => {
    const start = fromAnswer({ total: 9, sequence: [8], value: [1], best: [[3, 7]] });
    expect(withResults(start, [[9, 2]], "maximize").best).toEqual([[3, 7]]);
  });
  it("leaves penalties out of the picture, and nothing else", () => {
    const points = [
      [0, 1e12],
      [1, 31e6],
      [2, 26e6],
    ] as const;
    const shown = withoutPenalties({ total: 3, points, best: points });
    expect(shown.points).toEqual([
      [1, 31e6],
      [2, 26e6],
    ]);
    expect(shown.best).toEqual(shown.points);
    const zero = { total: 1, points: [[0, 5]] as const, best: [[0, 0]] as const };
    expect(withoutPenalties(zero)).toBe(zero);
  });
  it("goes down where less is better", () => {
    expect(
      bestSoFar(
        [
          [0, 3],
          [1, 4],
          [2, 1],
        ],
        "minimize",
      ),
    ).toEqual([
      [0, 3],
      [2, 1],
    ]);
  });
});

describe("table", () => {
  const table = {
    total: 2,
    matched: 2,
    sampled: false,
    sequence: [0, 1],
    id: ["T0", "T1"],
    columns: { metric: [1, null], x: ["a", "b"] },
  };
  it("reads columns in the order that was asked for", () => {
    expect(rowsOf(table, ["x", "metric", "absent"]).rows[0]?.values).toEqual(["a", 1, null]);
  });
  it("adds trials that ended, once each", () => {
    const start = rowsOf(table, ["metric"]);
    const ended = trial(7, { id: "T7", metric: 5 });
    const next = withTrials(start, [ended, trial(8, { id: "T8", status: "RUNNING" })], ["metric"]);
    expect(next.rows.map(({ id }) => id)).toEqual(["T0", "T1", "T7"]);
    expect(next.matched).toBe(3);
    expect(withTrials(next, [ended], ["metric"]).matched).toBe(3);
  });
  it("takes the best share", () => {
    const rows = [row(0, 1), row(1, 3), row(2, null), row(3, 2)];
    expect(bestShare(rows, 0, 0.5, "maximize").map(({ sequence }) => sequence)).toEqual([1, 3]);
    expect(bestShare(rows, 0, 0.01, "minimize").map(({ sequence }) => sequence)).toEqual([0]);
  });
});

describe("intermediates", () => {
  it("add what has come, in order, numbers alone", () => {
    const curves = curvesOf({ items: [{ id: "A", sequence: 0, x: [0, 1, 2], y: [1, 2, 3] }] });
    const metric = (sequence: number, value: unknown, trialId = "A"): Metric =>
      ({ trialId, type: "PERIODICAL", sequence, time: 0, value }) as Metric;
    const next = withMetrics(curves, [metric(4, { default: 5 }), metric(3, 4), metric(5, "NaN"), metric(0, 9, "B")]);
    expect(next[0]?.points).toEqual([
      [0, 1],
      [1, 2],
      [2, 3],
      [3, 4],
      [4, 5],
    ]);
    expect(withMetrics(curves, [metric(0, 9, "B")])).toBe(curves);
  });
});

describe("contour", () => {
  it("is exact at the samples and between them elsewhere", () => {
    const samples = [
      { x: 0, y: 0, value: 1 },
      { x: 1, y: 1, value: 3 },
    ];
    expect(interpolate(samples, 0, 0)).toBe(1);
    expect(interpolate(samples, 0.5, 0.5)).toBeCloseTo(2);
    expect(interpolate([], 0, 0)).toBeNull();
    expect(field(samples, 4)).toHaveLength(16);
  });
  it("uses the eight nearest", () => {
    const near = Array.from({ length: 8 }, (_, index) => ({ x: 0.001 * index, y: 0, value: 1 }));
    expect(interpolate([{ x: 1, y: 1, value: 1e9 }, ...near], 0.0005, 0.01)).toBeCloseTo(1);
  });
});

describe("timeline", () => {
  const attempt = (id: string, lane: number, start: number, end?: number) => ({
    lane,
    id,
    sequence: 0,
    attempt: 0,
    status: "SUCCEEDED",
    start,
    ...(end === undefined ? {} : { end }),
  });
  const start = { lanes: [{ host: "x", slot: 0 }], items: [attempt("T0001", 0, 5)], sampled: false };

  it("takes ends of known attempts, and puts new ones where there is room", () => {
    const next = withAttempts(start, [
      trial(2, { startTime: 9, host: "x" }),
      trial(1, { startTime: 5, endTime: 9, host: "x" }),
      trial(3, { startTime: 9, host: "x" }),
      trial(4, { startTime: 6, host: "new" }),
      trial(5),
    ]);
    expect(laneTitles(next.lanes)).toEqual(["x · 1", "x · 2", "new · 1"]);
    expect(next.items.map(({ id, lane, end }) => [id, lane, end])).toEqual([
      ["T0001", 0, 9],
      ["T0002", 0, undefined],
      ["T0003", 1, undefined],
      ["T0004", 2, undefined],
    ]);
  });

  it("tells how busy the places were, unless it is a sample", () => {
    const full = {
      ...start,
      lanes: [...start.lanes, { host: "x", slot: 1 }],
      items: [attempt("a", 0, 0, 10), attempt("b", 1, 0)],
    };
    expect(busyShare(full, 5)).toBe(0.75);
    expect(busyShare({ ...full, sampled: true }, 5)).toBeNull();
    expect(busyShare({ ...full, items: [] }, 5)).toBeNull();
  });
});
