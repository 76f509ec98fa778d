import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { ExperimentLive } from "../../src/api/experiment_live";
import type { Experiment } from "../../src/api/types";
import { experiment } from "./fakes";

const config = { tuner: { name: "TPE" } };
const settled = (): Promise<void> => new Promise((done) => setTimeout(done, 0));

/** A daemon whose answers and events come when the test says so. */
function daemon() {
  const answers: ((body: Experiment) => void)[] = [];
  let events: ReadableStreamDefaultController<Uint8Array> | undefined;
  const body = new ReadableStream<Uint8Array>({ start: (controller) => void (events = controller) });
  vi.stubGlobal("fetch", (path: string) =>
    path.endsWith("/events")
      ? Promise.resolve(new Response(body))
      : new Promise((done) => answers.push((answer) => done(Response.json(answer)))),
  );
  const tell = (data: Experiment): void =>
    events?.enqueue(new TextEncoder().encode(`id: 1\nevent: experiment\ndata: ${JSON.stringify(data)}\n\n`));
  return { answers, tell };
}

describe("ExperimentLive", () => {
  beforeEach(() => {
    const target = { addEventListener: () => undefined, removeEventListener: () => undefined };
    vi.stubGlobal("document", { visibilityState: "visible", ...target });
    vi.stubGlobal("window", target);
    vi.stubGlobal("sessionStorage", { getItem: () => null });
  });
  afterEach(() => void vi.unstubAllGlobals());

  it("keeps the state of an event that has overtaken an answer, and takes the configuration from the answer", async () => {
    const { answers, tell } = daemon();
    const live = new ExperimentLive("aaaaaaaa");
    const stop = new AbortController();
    live.start(stop.signal);
    await settled();
    tell(experiment({ status: "STOPPED" }));
    await settled();
    answers[0]?.(experiment({ status: "STOPPING", config }));
    await settled();
    await settled();
    expect(live.experiment.get()).toMatchObject({ status: "STOPPED", config });
    stop.abort();
  });

  it("takes the answer where no event came meanwhile", async () => {
    const { answers, tell } = daemon();
    const live = new ExperimentLive("aaaaaaaa");
    const stop = new AbortController();
    live.start(stop.signal);
    await settled();
    answers[0]?.(experiment({ status: "RUNNING", config }));
    await settled();
    await settled();
    expect(live.experiment.get()?.status).toBe("RUNNING");
    tell(experiment({ status: "DONE" }));
    await settled();
    await settled();
    expect(live.experiment.get()).toMatchObject({ status: "DONE", config });
    stop.abort();
  });
});
