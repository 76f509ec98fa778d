import { describe, expect, it } from "vitest";
import { excludedArea } from "../../src/pages/compression/front_option";
import { layoutOf } from "../../src/pages/compression/graph_layout";
import { layerRows } from "../../src/pages/compression/layer_shares";
import {
  constraintOf,
  constraintText,
  knownObjectives,
  objectiveText,
  type Objective,
} from "../../src/pages/compression/objectives";
import { dominates, frontOf, paretoFront, withEnded, type Point } from "../../src/pages/compression/pareto";
import { shipLine } from "../../src/pages/compression/ship_it";
import { measureOf } from "../../src/format/measures";
import { experiment, trial } from "../api/fakes";

const point = (sequence: number, ...values: number[]): Point => ({ id: `T${sequence}`, sequence, values });
const objective = (key: string): Objective => {
  const measure = measureOf(key);
  if (!measure) throw new Error(key);
  return { column: `metric.${key}`, measure };
};

describe("Pareto fronts", () => {
  it("know what beats what", () => {
    expect(dominates([1, 0.9], [2, 0.9], ["minimize", "maximize"])).toBe(true);
    expect(dominates([1, 0.8], [2, 0.9], ["minimize", "maximize"])).toBe(false);
    expect(dominates([1, 0.9], [1, 0.9], ["minimize", "maximize"])).toBe(false);
  });

  it("are what nothing beats, with equals", () => {
    const front = paretoFront(
      [point(0, 3, 0.9), point(1, 1, 0.5), point(2, 2, 0.4), point(3, 3, 0.9), point(4, 2, 0.7)],
      ["minimize", "maximize"],
    );
    expect(front.map(({ sequence }) => sequence)).toEqual([1, 4, 0, 3]);
  });

  it("take a third objective", () => {
    const goals = ["minimize", "maximize", "minimize"] as const;
    expect(paretoFront([point(0, 1, 1, 9), point(1, 2, 1, 1)], goals)).toHaveLength(2);
  });

  it("grow by trials that end, never by those that the constraint excludes", () => {
    const start = frontOf({
      items: [{ id: "T0000", sequence: 0, values: [10, 0.9] }],
      points: {
        sequence: [0, 1],
        id: ["T0000", "T0001"],
        values: [
          [10, 0.9],
          [12, 0.8],
        ],
      },
    });
    expect(start.others.map(({ id }) => id)).toEqual(["T0001"]);
    const columns = ["metric.size_bytes", "metric.accuracy"];
    const ended = (sequence: number, size_bytes: number, accuracy: number) =>
      trial(sequence, { finalMetric: { size_bytes, accuracy } });
    const news = [ended(2, 8, 0.95), ended(3, 1, 0.1), trial(4, { status: "FAILED" })];
    const next = withEnded(start, news, columns, ["minimize", "maximize"], ({ sequence }) => sequence !== 3);
    expect(next.front.map(({ sequence }) => sequence)).toEqual([2]);
    expect(next.others.map(({ sequence }) => sequence).sort()).toEqual([0, 1, 3]);
    expect(withEnded(next, news, columns, ["minimize", "maximize"], () => true)).toBe(next);
  });
});

describe("constraints", () => {
  const constrained = experiment({
    config: { compression: { objective: { metric: "sparsity", maxAccuracyDrop: 0.02 } } },
    baseline: { accuracy: 0.993 },
  });
  it("are the original's accuracy less what may be lost", () => {
    const constraint = constraintOf(constrained);
    expect(constraint?.least).toBeCloseTo(0.973);
    expect(constraint && constraintText(constraint)).toBe("metric.accuracy >= 0.973");
    expect(constraintOf(experiment({ config: constrained.config ?? {} }))).toBeNull();
    expect(constraintOf(experiment({ baseline: { accuracy: 1 } }))).toBeNull();
  });
  it("shade what lies below them, on the axis that shows accuracy", () => {
    const constraint = { column: "metric.accuracy", least: 0.97 };
    const [size, accuracy, macs] = [objective("size_bytes"), objective("accuracy"), objective("macs")];
    const points = [
      [1_000, 0.98],
      [2_000, 0.99],
    ];
    const area = excludedArea(constraint, [size, accuracy], points);
    expect(area).toMatchObject({ axis: "yAxis", to: 0.97 });
    expect(area?.from).toBeLessThan(0.97);
    expect(
      excludedArea(
        constraint,
        [accuracy, macs],
        points.map(([x = 0, y = 0]) => [y, x]),
      )?.axis,
    ).toBe("xAxis");
    expect(excludedArea(constraint, [macs, size, accuracy], points)).toBeNull();
    expect(excludedArea({ ...constraint, least: 0.1 }, [size, accuracy], points)).toBeNull();
    expect(excludedArea(constraint, [size, accuracy], [])).toBeNull();
  });
  it("offer the measures that trials have reported", () => {
    const column = (name: string, count: number) => ({
      name,
      group: "metric" as const,
      type: "number" as const,
      count,
    });
    const known = knownObjectives([column("metric.macs", 3), column("metric.accuracy", 3), column("metric.loss", 0)]);
    expect(known.map(objectiveText)).toEqual(["metric.accuracy:max", "metric.macs:min"]);
  });
});

describe("layers", () => {
  it("have shares of the whole", () => {
    const rows = layerRows([
      {
        name: "a",
        type: "Conv2d",
        shape_before: [20, 1, 5, 5],
        shape_after: [5, 1, 5, 5],
        macs_before: 100,
        macs_after: 25,
      },
      { name: "b", type: "Linear", macs_before: 300, macs_after: 300 },
    ]);
    expect(rows[0]).toMatchObject({ before: 20, after: 5, macShare: 0.25, macsKept: 0.25, latencyShare: null });
    expect(rows[1]).toMatchObject({ before: null, macShare: 0.75, macsKept: 1 });
  });
});

describe("network graphs", () => {
  const node = (layer: string, type = "Conv2d") => ({
    layer,
    type,
    shape_before: [1, 8, 4, 4],
    shape_after: [1, 4, 4, 4],
  });
  it("put each node below all that it reads", () => {
    const nodes = [node("", "input"), node("a"), node("b"), node("", "add")];
    const edges = [
      [0, 1],
      [1, 2],
      [0, 3],
      [2, 3],
    ] as const;
    const layout = layoutOf({ graph: { nodes, edges } });
    expect(layout.nodes.map(({ name, level }) => [name, level])).toEqual([
      ["input", 0],
      ["a", 1],
      ["b", 2],
      ["add", 3],
    ]);
    expect(layout.nodes[1]).toMatchObject({ before: 8, after: 4 });
    expect(layout.edges).toHaveLength(4);
    expect(layout.levels).toBe(4);
  });
  it("put branches side by side", () => {
    const layout = layoutOf({
      graph: {
        nodes: ["in", "a", "b"].map((name) => node(name)),
        edges: [
          [0, 1],
          [0, 2],
        ],
      },
    });
    expect(layout.nodes.map(({ place, levelSize }) => [place, levelSize])).toEqual([
      [0, 1],
      [0, 2],
      [1, 2],
    ]);
  });
  it("know where channels are", () => {
    const linear = { layer: "fc", type: "Linear", shape_before: [1, 16, 512], shape_after: [1, 16, 100] };
    expect(layoutOf({ graph: { nodes: [linear], edges: [] } }).nodes[0]).toMatchObject({ before: 512, after: 100 });
    expect(
      layoutOf({ graph: { nodes: [{ layer: "", type: "tuple", shape_before: [] }], edges: [] } }).nodes[0],
    ).toMatchObject({
      before: 0,
      after: 0,
    });
  });
  it("draw the layers in their order where a report has no graph", () => {
    const layers = [
      { name: "a", type: "x", shape_before: [8], shape_after: [3] },
      { name: "b", type: "x" },
    ];
    expect(layoutOf({ layers }).nodes.map(({ name, level, before, after }) => [name, level, before, after])).toEqual([
      ["a", 0, 8, 3],
      ["b", 1, 0, 0],
    ]);
  });
  it("survive edges that lead nowhere or back, and a network of thousands in a row", () => {
    const two = {
      nodes: [node("a"), node("b")],
      edges: [
        [0, 1],
        [1, 0],
        [7, 1],
        [1, 9],
      ] as [number, number][],
    };
    expect(layoutOf({ graph: two }).edges).toHaveLength(1);
    const nodes = Array.from({ length: 5_000 }, (_, index) => node(`n${index}`));
    const edges = nodes.slice(1).map((_, index) => [index, index + 1] as const);
    expect(layoutOf({ graph: { nodes, edges } }).levels).toBe(5_000);
  });
});

describe("shipLine", () => {
  const shipped = trial(8, { id: "CCaFk", experimentId: "vyo4wv2i" });
  it("is what lathectl takes", () => {
    expect(shipLine(shipped, "compressed.pt", "http://127.0.0.1:8080")).toBe("lathectl trial download vyo4wv2i CCaFk");
    expect(shipLine(shipped, "int8.pt", "https://lathe.lan")).toBe(
      "lathectl --url https://lathe.lan trial download vyo4wv2i CCaFk --file int8.pt",
    );
  });
});
