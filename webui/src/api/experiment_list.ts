// The experiments that the list shows, kept up to date by events.
import { api } from "./client";
import { followEvents } from "./event_stream";
import { isAbort } from "./problem";
import { Store } from "./store";
import type { Experiment, ExperimentStatus } from "./types";

export interface ExperimentList {
  readonly items: readonly Experiment[] | null;
  readonly nextCursor: string | undefined;
  readonly error: unknown;
}

/** Events leave the configuration out unless it has changed. */
export const merged = (known: Experiment | undefined, news: Experiment): Experiment =>
  known && !news.config ? { ...news, config: known.config } : news;

const newestFirst = (a: Experiment, b: Experiment): number => b.createdTime - a.createdTime || (a.id < b.id ? 1 : -1);

/** The list with a changed or new experiment in its place. */
export function withExperiment(items: readonly Experiment[], news: Experiment): Experiment[] {
  const known = items.find(({ id }) => id === news.id);
  return [...items.filter(({ id }) => id !== news.id), merged(known, news)].sort(newestFirst);
}

const pageSize = 200;

/** What the daemon is asked to look for; words that it does not know are looked for in what is there. */
export interface ListQuery {
  readonly search?: string;
  readonly status?: ExperimentStatus;
  readonly platform?: string;
}

export class ExperimentListLive {
  readonly state = new Store<ExperimentList>({ items: null, nextCursor: undefined, error: null });
  private news: Experiment[] = [];
  private query: ListQuery = {};

  /** Lists and follows until `signal` aborts. */
  start(signal: AbortSignal): void {
    void followEvents(
      "/api/v1/events?kinds=experiment,deleted",
      {
        ready: () => void this.load(signal),
        event: (kind, data) =>
          kind === "deleted" ? this.remove(data as { id: string }) : this.take(data as Experiment),
      },
      signal,
    );
  }

  /**
   * Looks for experiments beyond those that are there. While all of them are there already, looking through them is the
   * page's own.
   */
  async find(query: ListQuery, signal: AbortSignal): Promise<void> {
    const isNarrowed = Object.values(this.query).some(Boolean);
    if (!isNarrowed && this.state.get().nextCursor === undefined) return;
    this.query = query;
    await this.load(signal);
  }

  /** Adds the next page of older experiments. */
  more(signal: AbortSignal): Promise<void> {
    return this.load(signal, this.state.get().nextCursor);
  }

  private async load(signal: AbortSignal, cursor?: string): Promise<void> {
    this.news = [];
    try {
      const { status, ...words } = this.query;
      const query = {
        limit: pageSize,
        ...words,
        ...(status ? { status: [status] } : {}),
        ...(cursor ? { cursor } : {}),
      };
      const page = await api.get("/api/v1/experiments", { query: query as never, signal });
      if (signal.aborted) return;
      const before = cursor ? (this.state.get().items ?? []) : [];
      const items = [...page.items, ...this.news].reduce(withExperiment, [...before] as Experiment[]);
      this.state.set({ items, nextCursor: page.nextCursor, error: null });
    } catch (error) {
      if (!isAbort(error)) this.state.update((state) => ({ ...state, error }));
    }
  }

  private take(experiment: Experiment): void {
    this.news.push(experiment);
    this.state.update((state) => (state.items ? { ...state, items: withExperiment(state.items, experiment) } : state));
  }

  private remove({ id }: { id: string }): void {
    this.state.update((state) => ({ ...state, items: state.items?.filter((item) => item.id !== id) ?? null }));
  }
}
