import { useState, type FormEvent, type ReactNode } from "react";
import { changeExperiment } from "../../api/experiment_actions";
import { atPath } from "../../api/trial_columns";
import type { Experiment, ExperimentChange } from "../../api/types";
import { duration, parseDuration } from "../../format/time";
import { Facts } from "../../parts/facts";
import { attempt } from "../../parts/toast";
import { useExperiment } from "../experiment/context";

const limits = [
  { key: "trialConcurrency", title: "Trials at once", isDuration: false, isRequired: true, example: "4" },
  { key: "maxTrialNumber", title: "Most trials", isDuration: false, isRequired: false, example: "no limit" },
  { key: "maxExperimentDuration", title: "Longest run time", isDuration: true, isRequired: false, example: "12h" },
  { key: "maxTrialDuration", title: "Longest trial", isDuration: true, isRequired: false, example: "30m" },
] as const;

type Values = Record<(typeof limits)[number]["key"], string>;

function valuesOf(experiment: Experiment): Values {
  const read = (key: string): string => String(atPath(experiment.config, key) ?? "");
  return Object.fromEntries(limits.map(({ key }) => [key, read(key)])) as Values;
}

/** What the form says other than the experiment; the daemon checks it once more. */
export function changesOf(before: Values, after: Values): ExperimentChange | string {
  const change: Record<string, number | string | null> = {};
  for (const { key, title, isDuration, isRequired } of limits) {
    const text = after[key].trim();
    if (text === before[key]) continue;
    if (text === "" && !isRequired) change[key] = null;
    else if (isDuration && parseDuration(text) !== null) change[key] = text;
    else if (!isDuration && /^[1-9]\d*$/.test(text)) change[key] = Number(text);
    else return `${title}: expected ${isDuration ? "a duration such as 90s, 30m or 12h" : "a whole number from 1"}`;
  }
  return change;
}

const limitText = (value: string, isDuration: boolean): string =>
  value === "" ? "no limit" : isDuration ? duration(parseDuration(value)) : value;

export function Limits(): ReactNode {
  const [isEditing, setEditing] = useState(false);
  const { experiment } = useExperiment();
  const values = valuesOf(experiment);
  if (isEditing) return <LimitForm values={values} close={() => setEditing(false)} />;
  return (
    <>
      <Facts items={limits.map(({ key, title, isDuration }) => [title, limitText(values[key], isDuration)] as const)} />
      <p>
        <button onClick={() => setEditing(true)}>Change</button>
      </p>
    </>
  );
}

function LimitForm({ values, close }: { values: Values; close: () => void }): ReactNode {
  const { experiment } = useExperiment();
  const [edited, setEdited] = useState(values);
  const [isBusy, setBusy] = useState(false);
  const changes = changesOf(values, edited);
  const submit = async (event: FormEvent): Promise<void> => {
    event.preventDefault();
    if (typeof changes === "string") return;
    setBusy(true);
    const changed = await attempt(() => changeExperiment(experiment.id, changes), "The limits were changed.");
    setBusy(false);
    if (changed) close();
  };
  return (
    <form onSubmit={(event) => void submit(event)} onKeyDown={(event) => event.key === "Escape" && close()}>
      <div className="form-grid">
        {limits.map(({ key, title, example }, index) => (
          <label className="field" key={key}>
            {title}
            <input
              type="text"
              autoFocus={index === 0}
              placeholder={example}
              value={edited[key]}
              onChange={(event) => setEdited({ ...edited, [key]: event.target.value })}
            />
          </label>
        ))}
      </div>
      {typeof changes === "string" && (
        <p className="worse" role="alert">
          {changes}
        </p>
      )}
      <div className="actions">
        <button type="button" onClick={close}>
          Cancel
        </button>
        <button type="submit" className="primary" disabled={isBusy || typeof changes === "string"}>
          Save
        </button>
      </div>
    </form>
  );
}
