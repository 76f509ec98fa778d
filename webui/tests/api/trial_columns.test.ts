import { describe, expect, it } from "vitest";
import { atPath, columnsOf, columnValue } from "../../src/api/trial_columns";
import { trial } from "./fakes";

const nested = trial(3, {
  parameters: { prune: { _name: "l1", "conv1.sparsity": 0.4 }, lr: 0.1 },
  finalMetric: { default: 0.9, accuracy: 0.9, odd: "NaN" },
  metric: 0.9,
});

describe("columnValue", () => {
  it("reads nested parameters, also those with dots in their names", () => {
    expect(columnValue(nested, "parameter.prune._name")).toBe("l1");
    expect(columnValue(nested, "parameter.prune.conv1.sparsity")).toBe(0.4);
    expect(columnValue(nested, "parameter.lr")).toBe(0.1);
    expect(columnValue(nested, "parameter.absent")).toBeNull();
  });

  it("reads metrics of either kind", () => {
    expect(columnValue(nested, "metric")).toBe(0.9);
    expect(columnValue(nested, "metric.accuracy")).toBe(0.9);
    expect(columnValue(trial(0, { finalMetric: 0.5 }), "metric.default")).toBe(0.5);
    expect(columnValue(trial(0, { finalMetric: 0.5 }), "metric.accuracy")).toBeNull();
    expect(columnValue(trial(0), "metric.default")).toBeNull();
  });

  it("never answers what is not finite", () => {
    expect(columnValue(trial(0, { metric: Infinity }), "metric")).toBeNull();
  });

  it("does not read what every object has", () => {
    expect(columnValue(nested, "parameter.constructor")).toBeNull();
    expect(columnValue(nested, "metric.__proto__")).toBeNull();
    expect(atPath({}, "toString")).toBeUndefined();
  });

  it("names the columns of a trial", () => {
    expect(columnsOf(nested)).toEqual([
      "parameter.prune._name",
      "parameter.prune.conv1.sparsity",
      "parameter.lr",
      "metric.default",
      "metric.accuracy",
      "metric.odd",
    ]);
  });
});
