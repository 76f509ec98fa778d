import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { TrialWindow, type FetchTrials } from "../../src/api/trial_window";
import { ApiError } from "../../src/api/problem";
import type { Trial } from "../../src/api/types";
import { trial } from "./fakes";

const noNews = { trials: [], metrics: [], wasReset: false };

/** A daemon with trials 0 … n-1, newest first. */
function daemon(n: number) {
  const trials = Array.from({ length: n }, (_, sequence) => trial(n - 1 - sequence));
  const asked: string[] = [];
  const fetchPage: FetchTrials = ({ sort, filter, offset, limit }) => {
    asked.push(`${sort} ${filter} ${offset}`);
    return Promise.resolve({ items: trials.slice(offset, offset + limit), total: trials.length });
  };
  return { trials, asked, fetchPage };
}

const settled = (): Promise<unknown> => vi.advanceTimersByTimeAsync(0);

describe("TrialWindow", () => {
  beforeEach(() => void vi.useFakeTimers());
  afterEach(() => void vi.useRealTimers());

  it("fetches only what is on screen", async () => {
    const { asked, fetchPage } = daemon(100_000);
    const window = new TrialWindow(fetchPage);
    window.ask({ sort: "-sequence", filter: "" });
    await settled();
    expect(asked).toEqual(["-sequence  0"]);
    expect(window.state.get().total).toBe(100_000);
    window.show(50_030, 50_120);
    await settled();
    expect(asked.slice(1)).toEqual(["-sequence  50000"]);
    expect(window.state.get().rows.get(50_030)?.sequence).toBe(100_000 - 1 - 50_030);
    window.show(50_040, 50_130);
    await settled();
    expect(asked).toHaveLength(2);
  });

  it("shows a changed trial at once and the new order soon, once for many events", async () => {
    const { asked, fetchPage, trials } = daemon(3);
    const window = new TrialWindow(fetchPage);
    window.ask({ sort: "-sequence", filter: "" });
    await settled();
    const changed = { ...(trials[1] as Trial), status: "FAILED" as const };
    for (let i = 0; i < 20; i++) window.take({ ...noNews, trials: [changed] });
    expect(window.state.get().rows.get(1)?.status).toBe("FAILED");
    expect(asked).toHaveLength(1);
    trials.unshift(trial(3));
    await vi.advanceTimersByTimeAsync(1_100);
    expect(asked).toHaveLength(2);
    expect(window.state.get().rows.get(0)?.sequence).toBe(3);
    expect(window.state.get().total).toBe(4);
    window.close();
  });

  it("fetches anew when events were lost", async () => {
    const { asked, fetchPage } = daemon(3);
    const window = new TrialWindow(fetchPage);
    window.ask({ sort: "-sequence", filter: "" });
    await settled();
    window.take({ ...noNews, wasReset: true });
    await settled();
    expect(asked).toHaveLength(2);
  });

  it("forgets rows that no longer match", async () => {
    const { fetchPage, trials } = daemon(150);
    const window = new TrialWindow(fetchPage);
    window.ask({ sort: "-sequence", filter: "" });
    window.show(0, 149);
    await settled();
    window.show(100, 149);
    await settled();
    trials.length = 2;
    window.show(0, 10);
    window.ask({ sort: "-sequence", filter: "metric > 1" });
    await settled();
    expect([...window.state.get().rows.keys()]).toEqual([0, 1]);
    expect(window.state.get().total).toBe(2);
  });

  it("keeps the rows when the daemon refuses a filter", async () => {
    const { trials } = daemon(2);
    const fetchPage: FetchTrials = ({ filter }) =>
      filter
        ? Promise.reject(new ApiError(400, "expected a value at 3"))
        : Promise.resolve({ items: trials, total: 2 });
    const window = new TrialWindow(fetchPage);
    window.ask({ sort: "sequence", filter: "" });
    await settled();
    window.ask({ sort: "sequence", filter: "a =" });
    await settled();
    expect(window.state.get().rows.size).toBe(2);
    expect(window.state.get().error).toBeInstanceOf(ApiError);
    window.ask({ sort: "sequence", filter: "" });
    await settled();
    expect(window.state.get().error).toBeNull();
  });
});
