// The machines that trials run on.
import { useEffect, useState } from "react";
import { api } from "./client";
import { followEvents } from "./event_stream";
import { isAbort } from "./problem";
import type { Daemon, Host } from "./types";

export interface Hosts {
  readonly items: readonly Host[] | null;
  readonly daemon: Daemon | null;
  readonly error: unknown;
  readonly reload: () => void;
  /** An answer to a request of this page, which need not wait for its event. */
  readonly accept: (host: Host) => void;
}

interface State {
  readonly items: readonly Host[] | null;
  readonly daemon: Daemon | null;
  readonly error: unknown;
}

/** The hosts with a changed one in its place, or a new one behind them. */
export function withHost(items: readonly Host[], news: Host): Host[] {
  const isKnown = items.some(({ id }) => id === news.id);
  return isKnown ? items.map((host) => (host.id === news.id ? news : host)) : [...items, news];
}

/** Hosts that no experiment uses any more go without an event, so that the list is read anew now and then. */
const readAgainAfter = 60_000;
/** Agents report their load about this often. */
const reportEvery = 10_000;

/**
 * The hosts as they change. `isStream`: by events of a stream of their own; without, for a page that has a stream already,
 * they are looked at while the tab is in sight.
 */
export function useHosts({ isStream = false } = {}): Hosts {
  const [state, setState] = useState<State>({ items: null, daemon: null, error: null });
  const [turn, setTurn] = useState(0);
  const accept = (host: Host): void => setState((before) => ({ ...before, items: withHost(before.items ?? [], host) }));
  useEffect(() => {
    const controller = new AbortController();
    const { signal } = controller;
    const load = async (): Promise<void> => {
      if (document.visibilityState === "hidden") return;
      try {
        const [{ items }, daemon] = await Promise.all([
          api.get("/api/v1/hosts", { signal }),
          api.get("/api/v1/daemon", { signal }),
        ]);
        setState({ items, daemon, error: null });
      } catch (error) {
        if (!isAbort(error)) setState((before) => ({ ...before, error }));
      }
    };
    const timer = setInterval(() => void load(), isStream ? readAgainAfter : reportEvery);
    if (!isStream) void load();
    else {
      const event = (kind: string, data: unknown): void =>
        kind === "host" ? accept(data as Host) : setState((before) => ({ ...before, daemon: data as Daemon }));
      void followEvents("/api/v1/events?kinds=host,daemon", { ready: () => void load(), event }, signal);
    }
    return () => {
      clearInterval(timer);
      controller.abort();
    };
  }, [turn, isStream]);
  return { ...state, reload: () => setTurn((count) => count + 1), accept };
}
