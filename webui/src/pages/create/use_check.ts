import { useEffect, useState } from "react";
import { analysis, type Check } from "../../api/analysis";
import { isAbort } from "../../api/problem";

export interface Checked {
  readonly check: Check | null;
  readonly error: unknown;
  readonly isChecking: boolean;
}

const patience = 400;

/** What the daemon says of a configuration, asked when nothing was typed for a moment. */
export function useCheck(text: string, directory: string): Checked {
  const [state, setState] = useState<Checked>({ check: null, error: null, isChecking: true });
  useEffect(() => {
    const controller = new AbortController();
    setState((before) => ({ ...before, isChecking: true }));
    const timer = setTimeout(() => {
      analysis.check(text, directory, controller.signal).then(
        (check) => setState({ check, error: null, isChecking: false }),
        (error: unknown) => !isAbort(error) && setState({ check: null, error, isChecking: false }),
      );
    }, patience);
    return () => {
      clearTimeout(timer);
      controller.abort();
    };
  }, [text, directory]);
  return state;
}
