import { useEffect, useRef } from "react";
import type { Experiment } from "../api/types";
import { useClock } from "./use_clock";

/** Seconds that an experiment has run; between two events it goes on by this machine's clock. */
export function useRunTime({ status, runDuration }: Experiment): number {
  const isRunning = status === "RUNNING";
  const now = useClock(isRunning);
  const told = useRef({ runDuration, at: now });
  useEffect(() => {
    told.current = { runDuration, at: Date.now() };
  }, [runDuration, status]);
  return isRunning ? told.current.runDuration + Math.max(0, now - told.current.at) / 1000 : runDuration;
}
