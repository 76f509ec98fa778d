import { useCallback, useEffect, useState, type ReactNode } from "react";
import { analysis } from "../../api/analysis";
import type { Batch } from "../../api/experiment_live";
import { byGoal, objectiveOf, type Goal } from "../../api/objective";
import type { Trial } from "../../api/types";
import { useLoad } from "../../api/use_load";
import { leaves } from "../../api/trial_columns";
import { to } from "../../app/router";
import { measureOf } from "../../format/measures";
import { number } from "../../format/number";
import { shorten, visible } from "../../format/text";
import { duration } from "../../format/time";
import { WhenLoaded } from "../../parts/states";
import { Text } from "../../parts/text";
import { useBatches, useExperiment } from "../experiment/context";

const shown = 10;

/** The best trials of two lists; of a trial that is in both, the news. */
export function bestOf(known: readonly Trial[], news: readonly Trial[], goal: Goal): Trial[] {
  const better = byGoal(goal);
  return [...new Map([...known, ...news].map((trial) => [trial.id, trial])).values()]
    .filter(({ metric }) => metric !== undefined)
    .sort((a, b) => better(a.metric ?? 0, b.metric ?? 0) || a.sequence - b.sequence)
    .slice(0, shown);
}

/** Parameters on one line, `name value` each. */
export function parameterText(parameters: unknown): string {
  return leaves(parameters)
    .map(([path, value]) => `${path} ${typeof value === "number" ? number(value) : shorten(String(value), 40)}`)
    .join("  ");
}

export function TopTrials(): ReactNode {
  const { experiment } = useExperiment();
  const { goal, name } = objectiveOf(experiment);
  const { id } = experiment;
  const loaded = useLoad(
    (signal) => analysis.trials(id, { sort: goal === "maximize" ? "-metric" : "metric", limit: shown }, signal),
    [id, goal],
  );
  const [best, setBest] = useState<readonly Trial[]>([]);
  useEffect(() => {
    if (loaded.data) setBest((known) => bestOf(loaded.data?.items ?? [], known, goal));
  }, [loaded.data, goal]);
  const { reload } = loaded;
  const take = useCallback(
    (batch: Batch) => {
      if (batch.wasReset) reload();
      if (batch.trials.some(({ metric }) => metric !== undefined))
        setBest((known) => bestOf(known, batch.trials, goal));
    },
    [goal, reload],
  );
  useBatches(take);
  const show = measureOf(name)?.show ?? number;
  return (
    <WhenLoaded loaded={loaded}>
      {() =>
        best.length === 0 ? (
          <p className="soft">No trial has reported a result yet.</p>
        ) : (
          <div className="scroll" tabIndex={0} role="region" aria-label="Top trials">
            <table className="plain">
              <thead>
                <tr>
                  <th scope="col" className="number">
                    Trial
                  </th>
                  <th scope="col" className="number">
                    <Text>{name}</Text>
                  </th>
                  <th scope="col" className="number">
                    Duration
                  </th>
                  <th scope="col">Parameters</th>
                </tr>
              </thead>
              <tbody>
                {best.map((trial) => (
                  <tr key={trial.id}>
                    <td className="number">
                      <a href={to(["experiments", id, "trials", trial.id])}>{trial.sequence}</a>
                    </td>
                    <td className="number">{show(trial.metric)}</td>
                    <td className="number">{duration(trial.duration)}</td>
                    <td className="mono">
                      <Text length={160}>{visible(parameterText(trial.parameters))}</Text>
                    </td>
                  </tr>
                ))}
              </tbody>
            </table>
          </div>
        )
      }
    </WhenLoaded>
  );
}
