// One model: before and after, layer by layer, and how to ship it.
import { lazy, Suspense, type ReactNode } from "react";
import { api } from "../../api/client";
import { ApiError } from "../../api/problem";
import { fetchReport, type Report } from "../../api/report";
import type { Trial } from "../../api/types";
import { useLoad } from "../../api/use_load";
import { to } from "../../app/router";
import { Card } from "../../parts/card";
import { ComparisonTable } from "../../parts/comparison_table";
import { EmptyState, ErrorState, Loading } from "../../parts/states";
import { Text } from "../../parts/text";
import { useExperiment } from "../experiment/context";
import { LayerTable } from "./layer_table";
import { NetworkGraph } from "./network_graph";
import { ShipIt } from "./ship_it";
import "../../style/compression.css";

const LayerBars = lazy(() => import("./layer_bars"));

export default function ModelCard({ trialId }: { trialId: string }): ReactNode {
  const { experiment } = useExperiment();
  const loaded = useLoad(
    async (signal) => {
      const trial = await api.get("/api/v1/experiments/{id}/trials/{tid}", {
        path: { id: experiment.id, tid: trialId },
        signal,
      });
      return { trial, report: await reportOf(trial, signal) };
    },
    [experiment.id, trialId, experiment.status],
  );
  const { data, error, reload } = loaded;
  if (data) return <Shown {...data} />;
  return error === null ? <Loading /> : <ErrorState error={error} retry={reload} />;
}

/** A trial that failed or still runs has none. */
async function reportOf(trial: Trial, signal: AbortSignal): Promise<Report | null> {
  try {
    return await fetchReport(trial.experimentId, trial.id, signal);
  } catch (error) {
    if (error instanceof ApiError && error.status === 404) return null;
    throw error;
  }
}

function Shown({ trial, report }: { trial: Trial; report: Report | null }): ReactNode {
  const { experiment } = useExperiment();
  if (!report) {
    return (
      <EmptyState title={`Trial ${trial.sequence} has no model`}>
        <a href={to(["experiments", experiment.id, "trials", trial.id])}>What happened to it</a>
      </EmptyState>
    );
  }
  return (
    <section aria-label={`Model of trial ${trial.sequence}`}>
      <div className="page-head">
        <h2>
          Model of <a href={to(["experiments", experiment.id, "trials", trial.id])}>trial {trial.sequence}</a>
        </h2>
        {report.algorithm && (
          <span className="chip">
            <Text>{report.algorithm}</Text>
          </span>
        )}
        {experiment.best?.trialId === trial.id && <span className="chip">★ best so far</span>}
      </div>
      <div className="grid">
        <Card title="Before and after" className="half">
          <ComparisonTable
            before={report.baseline ?? experiment.baseline}
            after={report.metrics ?? trial.finalMetric}
            titles={["Original", "This model"]}
          />
        </Card>
        <div className="half">
          <ShipIt trial={trial} />
        </div>
        <Card title="Layers">
          <LayerTable layers={report.layers ?? []} />
        </Card>
        <div className="half">
          <Suspense fallback={<Loading />}>
            <LayerBars layers={report.layers ?? []} />
          </Suspense>
        </div>
        <Card title="Network, widths to scale" className="half">
          <NetworkGraph report={report} />
        </Card>
      </div>
    </section>
  );
}
