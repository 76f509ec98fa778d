// One trial: what it got, what it reported, what it wrote, and why it ended as it did.
import { lazy, Suspense, useCallback, useState, type ReactNode } from "react";
import { cancelTrial } from "../../api/experiment_actions";
import { api } from "../../api/client";
import type { Batch } from "../../api/experiment_live";
import { isCompression } from "../../api/objective";
import { useLoad } from "../../api/use_load";
import { hasEnded, type Trial } from "../../api/types";
import { to } from "../../app/router";
import { Card } from "../../parts/card";
import { ComparisonTable } from "../../parts/comparison_table";
import { LogTabs } from "./log_tabs";
import { WhenLoaded } from "../../parts/states";
import { Status } from "../../parts/status";
import { attempt } from "../../parts/toast";
import { useBatches, useExperiment } from "../experiment/context";
import { Attempts } from "./attempts";
import { CustomTrialDialog } from "./custom_trial";
import { Downloads } from "./downloads";
import { ParameterTree } from "./parameter_tree";
import { Outcome } from "./outcome";
import { TrialFacts } from "./trial_facts";

const IntermediateChart = lazy(() => import("../charts/intermediate_chart"));

export default function TrialPage({ id }: { id: string }): ReactNode {
  const { experiment } = useExperiment();
  const loaded = useLoad(
    (signal) => api.get("/api/v1/experiments/{id}/trials/{tid}", { path: { id: experiment.id, tid: id }, signal }),
    [experiment.id, id],
  );
  const [news, setNews] = useState<Trial | null>(null);
  const { reload, data } = loaded;
  const take = useCallback(
    ({ trials, wasReset }: Batch) => {
      const mine = trials.find((trial) => trial.id === id);
      // The earlier attempts are told only when one trial is asked for.
      if (wasReset || (mine && mine.attempt !== data?.attempt)) reload();
      // What was told before a reset may be older than what is fetched after it.
      if (mine || wasReset) setNews(mine ?? null);
    },
    [id, reload, data],
  );
  useBatches(take);
  return (
    <WhenLoaded loaded={loaded}>
      {(first) => <Shown trial={news ? { ...news, ...(first.attempts ? { attempts: first.attempts } : {}) } : first} />}
    </WhenLoaded>
  );
}

function Shown({ trial }: { trial: Trial }): ReactNode {
  const { experiment } = useExperiment();
  const [isCopying, setCopying] = useState(false);
  return (
    <>
      <div className="page-head">
        <a href={to(["experiments", experiment.id, "trials"])}>Trials</a>
        <h2>
          Trial {trial.sequence} <span className="mono soft">{trial.id}</span>
        </h2>
        <Status status={trial.status} />
        {experiment.best?.trialId === trial.id && <span className="chip">★ best so far</span>}
        <div className="row end">
          {isCompression(experiment) && trial.status === "SUCCEEDED" && (
            <a href={to(["experiments", experiment.id, "compression", "model"], { trial: trial.id })}>Model card</a>
          )}
          <button onClick={() => setCopying(true)}>Copy as customised trial…</button>
          {!hasEnded(trial.status) && (
            <button
              className="danger"
              onClick={() => void attempt(() => cancelTrial(trial), "The trial is being ended.")}
            >
              Kill
            </button>
          )}
        </div>
      </div>
      <Outcome trial={trial} />
      <div className="grid">
        <div className="half stack">
          <Card title="Facts">
            <TrialFacts trial={trial} />
          </Card>
          <Card title="Parameters">
            <ParameterTree value={trial.parameters} />
          </Card>
          <Attempts trial={trial} />
        </div>
        <div className="half stack">
          <Suspense fallback={null}>
            <IntermediateChart trials={[trial.id]} title="Intermediate results" />
          </Suspense>
          {typeof trial.finalMetric === "object" && trial.finalMetric !== null && (
            <Card title={experiment.baseline ? "Original and this trial" : "Final metrics"}>
              <ComparisonTable before={experiment.baseline} after={trial.finalMetric} titles={["Original", "Trial"]} />
            </Card>
          )}
          <Downloads trial={trial} />
        </div>
        <Card title="Log">
          <LogTabs trial={trial} />
        </Card>
      </div>
      {isCopying && <CustomTrialDialog trial={trial} close={() => setCopying(false)} />}
    </>
  );
}
