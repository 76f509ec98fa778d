// The rows of the trials table that are on screen: sorted, filtered and paged by the daemon, patched by events.
import { analysis, type TrialPage } from "./analysis";
import type { Batch } from "./experiment_live";
import { ApiError, isAbort } from "./problem";
import { Store } from "./store";
import type { Trial } from "./types";

export interface TrialQuery {
  readonly sort: string;
  readonly filter: string;
}

export interface TrialRows {
  /** How many trials match; null until the first answer. */
  readonly total: number | null;
  /** The trials that are known, by their place. */
  readonly rows: ReadonlyMap<number, Trial>;
  readonly error: unknown;
}

export type FetchTrials = (
  query: TrialQuery & { offset: number; limit: number },
  signal: AbortSignal,
) => Promise<TrialPage>;

const blockSize = 50;
/** The daemon's own limit of a page. */
const mostRows = 1_000;
/** While trials come and go the rows on screen are put in order again this often at most. */
const orderEvery = 1_000;

const empty: TrialRows = { total: null, rows: new Map(), error: null };

export class TrialWindow {
  readonly state = new Store<TrialRows>(empty);
  private query: TrialQuery = { sort: "-sequence", filter: "" };
  private first = 0;
  private last = 0;
  private readonly wanted = new Set<number>();
  private canceller = new AbortController();
  private orderTimer: ReturnType<typeof setTimeout> | undefined;

  constructor(private readonly fetchPage: FetchTrials) {}

  /** Starts anew with another order or filter; the old rows stay until the new ones come. */
  ask(query: TrialQuery): void {
    this.query = query;
    this.refresh();
  }

  /** Tells which rows are on screen. */
  show(first: number, last: number): void {
    this.first = first;
    this.last = last;
    const { total, rows } = this.state.get();
    if (total === null) return;
    const missing = this.blocksOnScreen().filter(
      (block) => !rows.has(block * blockSize) && block * blockSize < total && !this.wanted.has(block),
    );
    if (missing.length > 0) void this.load(missing);
  }

  take(batch: Batch): void {
    if (batch.wasReset) return this.refresh();
    const { rows, total } = this.state.get();
    if (total === null || batch.trials.length === 0) return;
    const places = new Map([...rows].map(([place, trial]) => [trial.id, place]));
    const patched = new Map(rows);
    for (const trial of batch.trials) {
      const place = places.get(trial.id);
      if (place !== undefined) patched.set(place, trial);
    }
    this.state.set({ ...this.state.get(), rows: patched });
    // Whether a trial still matches, and where it belongs, is the daemon's to say.
    this.orderTimer ??= setTimeout(() => {
      this.orderTimer = undefined;
      this.refresh();
    }, orderEvery);
  }

  /** Fetches the rows on screen again and forgets the others. */
  refresh(): void {
    this.canceller.abort();
    this.canceller = new AbortController();
    this.wanted.clear();
    void this.load(this.blocksOnScreen(), true);
  }

  close(): void {
    this.canceller.abort();
    clearTimeout(this.orderTimer);
  }

  private blocksOnScreen(): number[] {
    const from = Math.floor(this.first / blockSize);
    const to = Math.floor(Math.max(this.first, this.last) / blockSize);
    return Array.from({ length: to - from + 1 }, (_, index) => from + index);
  }

  /** Fetches blocks, which are neighbours or nearly so, in one answer. */
  private async load(blocks: readonly number[], startsAnew = false): Promise<void> {
    blocks.forEach((block) => this.wanted.add(block));
    const { signal } = this.canceller;
    const offset = Math.min(...blocks) * blockSize;
    const limit = Math.min(mostRows, (Math.max(...blocks) + 1) * blockSize - offset);
    try {
      const page = await this.fetchPage({ ...this.query, offset, limit }, signal);
      if (signal.aborted) return;
      const total = page.total ?? Math.max(this.state.get().total ?? 0, offset + page.items.length);
      const rows = new Map(startsAnew ? this.rowsOnScreen(total) : this.state.get().rows);
      for (let index = 0; index < limit; index++) {
        const trial = page.items[index];
        if (trial) rows.set(offset + index, trial);
        else rows.delete(offset + index);
      }
      this.state.set({ total, rows, error: null });
    } catch (error) {
      if (!isAbort(error)) this.state.update((state) => ({ ...state, error, total: state.total ?? 0 }));
    } finally {
      if (!signal.aborted) blocks.forEach((block) => this.wanted.delete(block));
    }
  }

  /** What stays while the blocks on screen come one after the other, so that nothing flickers. */
  private rowsOnScreen(total: number): [number, Trial][] {
    const blocks = new Set(this.blocksOnScreen());
    return [...this.state.get().rows].filter(([place]) => place < total && blocks.has(Math.floor(place / blockSize)));
  }
}

/** Pages of an experiment's trials. */
export function trialPages(experimentId: string): FetchTrials {
  return ({ sort, filter, offset, limit }, signal) =>
    analysis.trials(experimentId, { sort, filter, limit, ...(offset > 0 ? { offset } : {}) }, signal);
}

/** Whether the daemon could not read the filter, which the field then says. */
export const isFilterError = (error: unknown): error is ApiError => error instanceof ApiError && error.status === 400;
