// The machines that trials run on.
import { useEffect, useState } from "react";
import { api } from "./client";
import { isAbort } from "./problem";
import type { Host } from "./types";

/** Agents report their load about this often. */
const reportEvery = 10_000;

export interface Hosts {
  readonly items: readonly Host[] | null;
  readonly error: unknown;
  readonly reload: () => void;
}

/** The hosts, looked at again while the tab is in sight. */
export function useHosts(): Hosts {
  const [state, setState] = useState<{ items: readonly Host[] | null; error: unknown }>({ items: null, error: null });
  const [turn, setTurn] = useState(0);
  useEffect(() => {
    const controller = new AbortController();
    const load = async (): Promise<void> => {
      if (document.visibilityState === "hidden") return;
      try {
        const { items } = await api.get("/api/v1/hosts", { signal: controller.signal });
        setState({ items, error: null });
      } catch (error) {
        if (!isAbort(error)) setState((before) => ({ ...before, error }));
      }
    };
    void load();
    const timer = setInterval(() => void load(), reportEvery);
    return () => {
      clearInterval(timer);
      controller.abort();
    };
  }, [turn]);
  return { ...state, reload: () => setTurn((count) => count + 1) };
}
