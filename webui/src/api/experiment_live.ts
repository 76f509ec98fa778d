// One experiment as it changes. The pages of an experiment share one stream; each takes from it what it shows.
import { merged } from "./experiment_list";
import { api } from "./client";
import { followEvents } from "./event_stream";
import { isAbort } from "./problem";
import { Store } from "./store";
import type { Experiment, Metric, Trial } from "./types";

/** What has come since the last batch: of each trial its latest state, and every metric. */
export interface Batch {
  readonly trials: readonly Trial[];
  readonly metrics: readonly Metric[];
  /** Events were lost: fetch what is shown. */
  readonly wasReset: boolean;
}

export type BatchListener = (batch: Batch) => void;

/** Runs `action` once per frame at most; a hidden tab has no frames. */
function soon(action: () => void): void {
  if (document.visibilityState === "visible") requestAnimationFrame(action);
  else setTimeout(action, 250);
}

export class ExperimentLive {
  readonly experiment = new Store<Experiment | null>(null);
  readonly error = new Store<unknown>(null);
  readonly isDeleted = new Store(false);
  private readonly listeners = new Set<BatchListener>();
  private trials = new Map<string, Trial>();
  private metrics: Metric[] = [];
  private wasReset = false;
  private isScheduled = false;
  private hasBeenReady = false;
  /** How often the experiment itself has been told. */
  private events = 0;

  constructor(readonly id: string) {}

  start(signal: AbortSignal): void {
    void followEvents(
      `/api/v1/experiments/${encodeURIComponent(this.id)}/events`,
      {
        ready: () => {
          void this.load(signal);
          // Pages fetch on their own at first; later a new beginning means that they have missed something.
          if (this.hasBeenReady) this.schedule(() => (this.wasReset = true));
          this.hasBeenReady = true;
        },
        event: (kind, data) => this.take(kind, data),
      },
      signal,
    );
    void this.load(signal);
  }

  onBatch(listener: BatchListener): () => void {
    this.listeners.add(listener);
    return () => this.listeners.delete(listener);
  }

  async load(signal?: AbortSignal): Promise<void> {
    const before = this.events;
    try {
      const answer = await api.get("/api/v1/experiments/{id}", { path: { id: this.id }, signal });
      // An event that came meanwhile may be newer than the answer, but has the configuration only where it changed.
      const known = this.experiment.get();
      const isOvertaken = this.events !== before && known !== null;
      this.accept(isOvertaken ? { ...known, config: known.config ?? answer.config } : answer);
    } catch (error) {
      if (!isAbort(error)) this.error.set(error);
    }
  }

  private accept(experiment: Experiment): void {
    this.experiment.update((known) => merged(known ?? undefined, experiment));
    this.error.set(null);
  }

  private take(kind: string, data: unknown): void {
    if (kind === "experiment") {
      this.events++;
      this.accept(data as Experiment);
    }
    if (kind === "deleted") this.isDeleted.set(true);
    else if (kind === "trial") this.schedule(() => this.trials.set((data as Trial).id, data as Trial));
    else if (kind === "metric") this.schedule(() => this.metrics.push(data as Metric));
  }

  private schedule(add: () => void): void {
    add();
    if (this.isScheduled) return;
    this.isScheduled = true;
    soon(() => this.flush());
  }

  private flush(): void {
    const batch: Batch = { trials: [...this.trials.values()], metrics: this.metrics, wasReset: this.wasReset };
    this.trials = new Map();
    this.metrics = [];
    this.wasReset = false;
    this.isScheduled = false;
    for (const listener of [...this.listeners]) listener(batch);
  }
}
