import type { ReactNode } from "react";
import { errorText, isAbort } from "../api/problem";
import { Store, useStore } from "../api/store";

interface Toast {
  readonly id: number;
  readonly text: string;
  readonly isError: boolean;
}

const toasts = new Store<readonly Toast[]>([]);
let nextId = 0;

const dismiss = (id: number): void => toasts.update((all) => all.filter((toast) => toast.id !== id));

/** Says something for a while. Errors stay until they are dismissed. */
export function tell(text: string, isError = false): void {
  const id = nextId++;
  toasts.update((all) => [...all.slice(-3), { id, text, isError }]);
  if (!isError) setTimeout(() => dismiss(id), 5_000);
}

/** Runs an action of the user's and says how it ended. */
export async function attempt<T>(action: () => Promise<T>, done?: string): Promise<T | undefined> {
  try {
    const result = await action();
    if (done) tell(done);
    return result;
  } catch (error) {
    if (!isAbort(error)) tell(errorText(error), true);
    return undefined;
  }
}

export function Toasts(): ReactNode {
  const all = useStore(toasts);
  return (
    <div className="toasts" role="status" aria-live="polite">
      {all.map(({ id, text, isError }) => (
        <div key={id} className={isError ? "toast bad" : "toast"}>
          <bdi>{text}</bdi>
          <button className="icon" aria-label="Dismiss" onClick={() => dismiss(id)}>
            ✕
          </button>
        </div>
      ))}
    </div>
  );
}
