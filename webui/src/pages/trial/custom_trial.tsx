import { useState, type FormEvent, type ReactNode } from "react";
import { addTrial } from "../../api/experiment_actions";
import type { JsonObject, Trial } from "../../api/types";
import { Dialog } from "../../parts/dialog";
import { attempt } from "../../parts/toast";

/** Parameters from text: an object, or what is wrong with the text. */
export function parseParameters(text: string): JsonObject | string {
  try {
    const value: unknown = JSON.parse(text);
    if (typeof value === "object" && value !== null && !Array.isArray(value)) return value as JsonObject;
    return 'Expected an object: {"name": value, …}';
  } catch (error) {
    return error instanceof Error ? error.message : String(error);
  }
}

/** Runs a trial with parameters given by hand, which start as those of another. */
export function CustomTrialDialog({ trial, close }: { trial: Trial; close: () => void }): ReactNode {
  const [text, setText] = useState(() => JSON.stringify(trial.parameters, null, 2));
  const parsed = parseParameters(text);
  const submit = async (event: FormEvent): Promise<void> => {
    event.preventDefault();
    if (typeof parsed === "string") return;
    const added = await attempt(() => addTrial(trial.experimentId, parsed), "The trial is queued.");
    if (added) close();
  };
  return (
    <Dialog title={`Customised trial, from trial ${trial.sequence}`} isWide close={close}>
      <form onSubmit={(event) => void submit(event)}>
        <label className="field">
          Parameters (JSON)
          <textarea
            className="mono"
            rows={18}
            spellCheck={false}
            value={text}
            onChange={(event) => setText(event.target.value)}
          />
        </label>
        {typeof parsed === "string" && (
          <p className="worse" role="alert">
            {parsed}
          </p>
        )}
        <div className="actions">
          <button type="button" onClick={close}>
            Cancel
          </button>
          <button type="submit" className="primary" disabled={typeof parsed === "string"}>
            Queue the trial
          </button>
        </div>
      </form>
    </Dialog>
  );
}
