import { readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { keysAt, valuesAt, type Schema } from "../../src/pages/create/schema_walk";
import { yamlPlace } from "../../src/pages/create/yaml_path";

const schema = (name: string): Schema =>
  JSON.parse(readFileSync(new URL(`../../../proto/schema/${name}.schema.json`, import.meta.url), "utf8")) as Schema;
const schemas = { experiment: schema("experiment"), searchSpace: schema("search_space") };

/** The place of `|` in a text. */
function placeIn(text: string) {
  const offset = text.indexOf("|");
  return yamlPlace(text.replace("|", ""), offset);
}

describe("yamlPlace", () => {
  it("is at the top at first", () => {
    expect(placeIn("exp|")).toMatchObject({ path: [], key: null, begun: "exp" });
  });
  it("follows the indentation", () => {
    const text = "a: 1\ncompression:\n  model: x\n  data:\n    format: idx\n    tr|";
    expect(placeIn(text)).toMatchObject({ path: ["compression", "data"], begun: "tr", siblings: ["format"] });
    expect(placeIn("compression:\n  data:\n    format: idx\n  mo|").path).toEqual(["compression"]);
  });
  it("knows the value that is being written", () => {
    expect(placeIn("tuner:\n  name: T|")).toMatchObject({ path: ["tuner"], key: "name", begun: "T" });
  });
  it("finds its way through lists", () => {
    expect(placeIn("trainingService:\n  - pla|").path).toEqual(["trainingService", "-"]);
    expect(placeIn("trainingService:\n  - platform: local\n    ma|").path).toEqual(["trainingService", "-"]);
  });
});

describe("the schema's suggestions", () => {
  const keys = (...path: string[]): string[] => keysAt(path, schemas).map(({ label }) => label);
  it("are the keys of each level", () => {
    expect(keys()).toEqual(expect.arrayContaining(["experimentName", "searchSpace", "tuner", "compression"]));
    expect(keys("compression")).toEqual(expect.arrayContaining(["model", "data", "finetuning", "objective"]));
    expect(keys("compression", "objective")).toEqual(expect.arrayContaining(["metric", "maxAccuracyDrop"]));
    expect(keys("trainingService", "-")).toContain("platform");
    expect(keys("nowhere")).toEqual([]);
  });
  it("have descriptions", () => {
    expect(keysAt([], schemas).find(({ label }) => label === "trialConcurrency")?.description).toContain("same time");
  });
  it("are the values that the schema lists", () => {
    expect(valuesAt(["compression", "data", "format"], schemas)).toContain("cifar10");
    expect(valuesAt(["compression", "objective"], schemas)).toContain("accuracy");
    expect(valuesAt(["experimentName"], schemas)).toEqual([]);
  });
});
