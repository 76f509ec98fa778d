import type { ReactNode } from "react";
import { objectiveOf } from "../../api/objective";
import type { Trial } from "../../api/types";
import { measureOf } from "../../format/measures";
import { number } from "../../format/number";
import { duration } from "../../format/time";
import { Facts } from "../../parts/facts";
import { Text } from "../../parts/text";
import { Time } from "../../parts/time";
import { useClock } from "../../parts/use_clock";
import { useExperiment } from "../experiment/context";

const sources: Readonly<Record<Trial["source"], string>> = {
  algorithm: "the tuner",
  customized: "a person",
  resumed: "an earlier run",
};

export function TrialFacts({ trial }: { trial: Trial }): ReactNode {
  const { experiment } = useExperiment();
  const { name } = objectiveOf(experiment);
  const isRunning = trial.status === "RUNNING";
  const now = useClock(isRunning);
  const { startTime } = trial;
  const seconds = isRunning && startTime !== undefined ? Math.max(0, now - startTime) / 1000 : trial.duration;
  const { gpus } = trial;
  return (
    <Facts
      items={[
        [name === "metric" ? "Metric" : `Metric (${name})`, (measureOf(name)?.show ?? number)(trial.metric)],
        ["Duration", duration(seconds)],
        ["Host", trial.host ? <Text key="host">{trial.host}</Text> : "–"],
        gpus !== undefined && gpus.length > 0 && ["GPUs", gpus.join(", ")],
        ["Suggested by", sources[trial.source]],
        ["Intermediate results", String(trial.intermediateCount)],
        ["Submitted", <Time key="submit" at={trial.submitTime} />],
        ["Started", <Time key="start" at={startTime} />],
        ["Ended", <Time key="end" at={trial.endTime} />],
        trial.attempt > 0 && ["Attempt", String(trial.attempt + 1)],
        trial.exitCode !== undefined && ["Exit code", String(trial.exitCode)],
        trial.signal !== undefined && ["Signal", String(trial.signal)],
        isRunning && trial.pid !== undefined && ["Process", String(trial.pid)],
        ["Folder", <code key="folder">{trial.directory}</code>],
      ]}
    />
  );
}
