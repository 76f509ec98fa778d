import { afterEach, describe, expect, it, vi } from "vitest";
import { ExperimentListLive, merged, withExperiment } from "../../src/api/experiment_list";
import { objectiveOf, platformsOf, progressOf, timeLeft } from "../../src/api/objective";
import { filterExperiments, sortExperiments } from "../../src/pages/experiments/filter";
import { experiment } from "./fakes";

describe("experiments", () => {
  it("keeps the configuration that an event leaves out", () => {
    const known = experiment({ config: { tuner: { name: "TPE" } } });
    expect(merged(known, experiment({ status: "DONE" }))).toMatchObject({
      status: "DONE",
      config: { tuner: { name: "TPE" } },
    });
  });

  it("puts a new one first and a changed one in its place", () => {
    const [a, b] = [experiment({ id: "a", createdTime: 1 }), experiment({ id: "b", createdTime: 2 })];
    expect(withExperiment([a], b).map(({ id }) => id)).toEqual(["b", "a"]);
    expect(withExperiment([b, a], { ...a, status: "DONE" }).map(({ id }) => id)).toEqual(["b", "a"]);
  });

  it("finds by every word of the search, by status and platform", () => {
    const items = [
      experiment({ id: "a", name: "LeNet pruning", config: { tuner: { name: "TPE" } } }),
      experiment({ id: "b", name: "LeNet int8", status: "DONE", config: { trainingService: { platform: "slurm" } } }),
    ];
    const ids = (search: string, status = "", platform = ""): string[] =>
      filterExperiments(items, { search, status, platform }).map(({ id }) => id);
    expect(ids("lenet")).toEqual(["a", "b"]);
    expect(ids("tpe lenet")).toEqual(["a"]);
    expect(ids("", "DONE")).toEqual(["b"]);
    expect(ids("", "", "slurm")).toEqual(["b"]);
    expect(ids("nothing")).toEqual([]);
  });

  it("sorts those without a value last either way", () => {
    const items = [
      experiment({ id: "a", best: { trialId: "x", metric: 1 } }),
      experiment({ id: "b" }),
      experiment({ id: "c", best: { trialId: "y", metric: 2 } }),
    ];
    expect(sortExperiments(items, "-best").map(({ id }) => id)).toEqual(["c", "a", "b"]);
    expect(sortExperiments(items, "best").map(({ id }) => id)).toEqual(["a", "c", "b"]);
  });

  it("reads objective, platform and progress from the configuration", () => {
    const config = {
      maxTrialNumber: 10,
      tuner: { classArgs: { optimize_mode: "minimize" } },
      trainingService: [{ platform: "local" }, { platform: "slurm" }],
    };
    const one = experiment({ config, counts: { SUCCEEDED: 3, FAILED: 1, RUNNING: 2 } });
    expect(objectiveOf(one)).toEqual({ name: "metric", goal: "minimize" });
    expect(platformsOf(one)).toEqual(["local", "slurm"]);
    expect(progressOf(one)).toEqual({ ended: 4, running: 2, waiting: 0, most: 10 });
  });

  it("estimates the time left by the limit that is reached first", () => {
    const one = experiment({ runDuration: 40, config: { maxTrialNumber: 10 }, counts: { SUCCEEDED: 4 } });
    expect(timeLeft(one, null)).toBe(60);
    expect(timeLeft(one, 50)).toBe(10);
    expect(timeLeft(experiment(), null)).toBeNull();
  });
});

describe("the list of experiments", () => {
  afterEach(() => void vi.unstubAllGlobals());

  it("asks the daemon to search only while there is more than what is there", async () => {
    const asked: string[] = [];
    const pages: object[] = [
      { items: [experiment({ id: "b" })], nextCursor: "next" },
      { items: [experiment({ id: "a", name: "old" })] },
      { items: [experiment({ id: "b" })] },
    ];
    vi.stubGlobal("sessionStorage", { getItem: () => null });
    vi.stubGlobal("fetch", (path: string) => {
      asked.push(path);
      return Promise.resolve(Response.json(pages.shift()));
    });
    const { signal } = new AbortController();
    const live = new ExperimentListLive();
    await live.more(signal);
    await live.find({ search: "old", status: "DONE" }, signal);
    expect(live.state.get().items?.map(({ id }) => id)).toEqual(["a"]);
    await live.find({ search: "" }, signal);
    await live.find({ search: "again" }, signal);
    expect(asked).toEqual([
      "/api/v1/experiments?limit=200",
      "/api/v1/experiments?limit=200&search=old&status=DONE",
      "/api/v1/experiments?limit=200",
    ]);
  });
});
