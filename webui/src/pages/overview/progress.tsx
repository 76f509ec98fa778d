import type { ReactNode } from "react";
import { objectiveOf, progressOf, timeLeft } from "../../api/objective";
import { atPath } from "../../api/trial_columns";
import type { Experiment } from "../../api/types";
import { to } from "../../app/router";
import { measureOf } from "../../format/measures";
import { number } from "../../format/number";
import { words } from "../../format/text";
import { duration, parseDuration } from "../../format/time";
import { Facts } from "../../parts/facts";
import { Time } from "../../parts/time";
import { useRunTime } from "../../parts/use_run_time";
import { useExperiment } from "../experiment/context";

const preparations: Readonly<Record<Experiment["preparation"], string | null>> = {
  NONE: null,
  WAITING: "waits to be measured",
  RUNNING: "is being measured",
  DONE: "measured",
  FAILED: "could not be measured",
};

/** What an experiment that goes on is doing or waiting for, in a sentence. */
function activity(experiment: Experiment): string | null {
  const { running, waiting } = progressOf(experiment);
  if (experiment.obstacle) return "Nothing can start now; the reason is above.";
  switch (experiment.status) {
    case "INITIALIZED":
      return experiment.preparation === "NONE" ? "It is about to start." : "The original model is measured first.";
    case "RUNNING":
      if (running > 0) return null;
      return waiting > 0 ? `${waiting} trials wait for a place to run.` : "It waits for the tuner’s next suggestion.";
    case "NO_MORE_TRIAL":
      return "No more trials are started; it waits for those that run.";
    case "TUNER_NO_MORE_TRIAL":
      return "The tuner has nothing left to try; it waits for the trials that run.";
    case "STOPPING":
      return "It waits for its trials to end.";
    default:
      return null;
  }
}

export function Progress(): ReactNode {
  const { experiment } = useExperiment();
  const { ended, most } = progressOf(experiment);
  const runTime = useRunTime(experiment);
  const longest = parseDuration(atPath(experiment.config, "maxExperimentDuration"));
  const left = timeLeft({ ...experiment, runDuration: runTime }, longest);
  const doing = activity(experiment);
  const { best } = experiment;
  const objective = objectiveOf(experiment);
  const show = measureOf(objective.name)?.show ?? number;
  return (
    <>
      {most !== null && <progress max={most} value={ended} aria-label="Trials that have ended" />}
      {doing && <p className="soft">{doing}</p>}
      <Facts
        items={[
          ["Trials ended", most === null ? String(ended) : `${ended} of ${most}`],
          [
            "Best " + objective.name,
            best ? (
              <a href={to(["experiments", experiment.id, "trials", best.trialId])}>{show(best.metric)}</a>
            ) : (
              "none yet"
            ),
          ],
          ["Run time", duration(runTime) + (longest === null ? "" : ` of ${duration(longest)}`)],
          experiment.status === "RUNNING" && ["Time left, about", left === null ? "no limit" : duration(left)],
          ["Started", <Time key="start" at={experiment.startTime} />],
          experiment.endTime !== undefined && ["Ended", <Time key="end" at={experiment.endTime} />],
          preparations[experiment.preparation] !== null && ["Original model", preparations[experiment.preparation]],
          ["Tuner", String(atPath(experiment.config, "tuner.name") ?? "–")],
        ]}
      />
      <Counts experiment={experiment} />
    </>
  );
}

function Counts({ experiment }: { experiment: Experiment }): ReactNode {
  const counts = Object.entries(experiment.counts as Readonly<Record<string, number>>).filter(([, count]) => count > 0);
  return (
    <p className="chips">
      {counts.map(([status, count]) => (
        <a
          key={status}
          className="chip"
          href={to(["experiments", experiment.id, "trials"], { filter: `status = ${status}` })}
        >
          {words(status)} {count}
        </a>
      ))}
    </p>
  );
}
