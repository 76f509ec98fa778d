import { describe, expect, it } from "vitest";
import type { Column } from "../../src/api/analysis";
import { compareRows } from "../../src/pages/compare/compare_rows";
import { spaceRows } from "../../src/pages/configuration/search_space";
import { changesOf } from "../../src/pages/overview/limits";
import { bestOf } from "../../src/pages/overview/top_trials";
import { both, completeFilter, filterName, filterValue } from "../../src/pages/trials/filter_text";
import { shortTitles } from "../../src/pages/trials/trial_table_columns";
import { parseParameters } from "../../src/pages/trial/custom_trial";
import { productsOf } from "../../src/pages/trial/downloads";
import { experiment, trial } from "../api/fakes";

describe("filter text", () => {
  const columns: Column[] = [
    {
      name: "status",
      group: "trial",
      type: "text",
      count: 3,
      values: [
        { value: "SUCCEEDED", count: 2 },
        { value: "FAILED", count: 1 },
      ],
    },
    { name: "metric", group: "trial", type: "number", count: 2 },
    { name: "metric.accuracy", group: "metric", type: "number", count: 2 },
  ];
  it("quotes what is not one word", () => {
    expect(filterValue("SUCCEEDED")).toBe("SUCCEEDED");
    expect(filterValue(-1.5)).toBe("-1.5");
    expect(filterValue('a "b"')).toBe('"a \\"b\\""');
    expect(filterValue("and")).toBe('"and"');
    expect(filterValue("")).toBe('""');
  });
  it("quotes names that the grammar would take apart", () => {
    expect(filterName("parameter.prune._name")).toBe("parameter.prune._name");
    expect(filterName('parameter.a "b"=c')).toBe('"parameter.a \\"b\\"=c"');
  });
  it("joins conditions", () => {
    expect(both("a = 1", "")).toBe("a = 1");
    expect(both("a = 1 or b = 2", "c = 3")).toBe("(a = 1 or b = 2) and c = 3");
  });
  it("suggests columns and their values", () => {
    expect(completeFilter("met", columns)).toEqual(["metric ", "metric.accuracy "]);
    expect(completeFilter("metric > 1 and acc", columns)).toEqual(["metric > 1 and metric.accuracy "]);
    expect(completeFilter("status = f", columns)).toEqual(["status = FAILED"]);
    expect(completeFilter("metric > 1 ", columns)).toEqual([]);
  });
});

describe("column titles", () => {
  it("are as short as they can be told apart", () => {
    expect(
      shortTitles(
        ["sequence", "parameter.p._name", "parameter.p.conv1", "parameter.q.conv1", "parameter.p.fc"],
        "metric",
      ),
    ).toEqual(["Trial", "p", "p.conv1", "q.conv1", "fc"]);
  });
});

describe("comparison", () => {
  it("tells first what differs, and which is best", () => {
    const rows = compareRows([
      trial(0, {
        parameters: { same: 1, lr: 0.1 },
        finalMetric: { default: 1, size_bytes: 10 },
        metric: 1,
        duration: 2,
      }),
      trial(1, {
        parameters: { same: 1, lr: 0.2 },
        finalMetric: { default: 2, size_bytes: 5 },
        metric: 2,
        duration: 2,
      }),
    ]);
    expect(rows.map(({ name, differs }) => [name, differs])).toEqual([
      ["metric", true],
      ["parameter.lr", true],
      ["metric.size_bytes", true],
      ["parameter.same", false],
      ["duration", false],
    ]);
    expect(rows.find(({ name }) => name === "metric.size_bytes")?.cells.map(({ isBest }) => isBest)).toEqual([
      false,
      true,
    ]);
  });
});

describe("top trials", () => {
  it("are the best of what is known and what has come", () => {
    const known = [trial(0, { metric: 1 }), trial(1, { metric: 3 })];
    const best = bestOf(known, [trial(2, { metric: 2 }), trial(0, { metric: 9 }), trial(3)], "maximize");
    expect(best.map(({ sequence }) => sequence)).toEqual([0, 1, 2]);
    expect(bestOf(known, [], "minimize").map(({ sequence }) => sequence)).toEqual([0, 1]);
  });
});

describe("limits", () => {
  const before = { trialConcurrency: "2", maxTrialNumber: "16", maxExperimentDuration: "", maxTrialDuration: "1h" };
  it("say only what has changed", () => {
    expect(changesOf(before, before)).toEqual({});
    expect(
      changesOf(before, { ...before, trialConcurrency: "4", maxTrialNumber: "", maxExperimentDuration: "12h" }),
    ).toEqual({
      trialConcurrency: 4,
      maxTrialNumber: null,
      maxExperimentDuration: "12h",
    });
  });
  it("say what is wrong", () => {
    expect(changesOf(before, { ...before, trialConcurrency: "0" })).toContain("Trials at once");
    expect(changesOf(before, { ...before, trialConcurrency: "" })).toContain("Trials at once");
    expect(changesOf(before, { ...before, maxTrialDuration: "soon" })).toContain("Longest trial");
  });
});

describe("search spaces", () => {
  it("are listed with what a choice owns below it", () => {
    const rows = spaceRows({
      prune: {
        _type: "choice",
        _value: [{ _name: "l1", s: { _type: "uniform", _value: [0.1, 0.9] } }, { _name: "agp" }],
      },
      lr: { _type: "quniform", _value: [0, 1, 0.1] },
      odd: "not a definition",
    });
    expect(rows.map(({ path, type, values }) => [path.join("/"), type, values])).toEqual([
      ["prune", "choice", "l1, agp"],
      ["prune/l1/s", "uniform", "0.1 … 0.9"],
      ["lr", "quniform", "0 … 1, step 0.1"],
    ]);
  });
});

describe("customised trials", () => {
  it("have an object of parameters", () => {
    expect(parseParameters('{"a": 1}')).toEqual({ a: 1 });
    for (const wrong of ["[1]", "1", "null", "{"]) expect(typeof parseParameters(wrong)).toBe("string");
  });
});

describe("products", () => {
  const names = (finalMetric: unknown, config: object = {}): string[] =>
    productsOf(experiment({ config: { compression: config } }), trial(0, { finalMetric })).map(({ name }) => name);
  it("are those that the trial can have left", () => {
    expect(names({ accuracy: 1 })).toEqual([
      "compressed.pt",
      "compressed.onnx",
      "model.pth",
      "mask.pth",
      "report.json",
    ]);
    expect(names({ int8_accuracy: 1 }, { export: { onnx: false } })).toEqual([
      "compressed.pt",
      "int8.pt",
      "model.pth",
      "calibration.json",
      "report.json",
    ]);
  });
});
