// An experiment at a glance: where it stands, what it has found, and where it runs.
import { lazy, Suspense, type ReactNode } from "react";
import { isCompression, objectiveOf } from "../../api/objective";
import { to } from "../../app/router";
import { Card } from "../../parts/card";
import { Loading } from "../../parts/states";
import { useExperiment } from "../experiment/context";
import { Baseline } from "./baseline";
import { HostLoad } from "./host_load";
import { Limits } from "./limits";
import { Progress } from "./progress";
import { TopTrials } from "./top_trials";

// The charts come once the numbers are there.
const HistoryChart = lazy(() => import("../charts/history_chart"));
const Details = lazy(() => import("../configuration/details"));

export function OverviewPage(): ReactNode {
  const { experiment } = useExperiment();
  return (
    <div className="grid">
      <Card title="Progress" className="third">
        <Progress />
      </Card>
      <Card title="Limits" className="third">
        <Limits />
      </Card>
      <Card title="Hosts" className="third" actions={<a href={to(["hosts"])}>All hosts</a>}>
        <HostLoad experimentId={experiment.id} />
      </Card>
      <div className="most">
        <Suspense fallback={<Loading what="Loading the chart" />}>
          <HistoryChart column="metric" title={`Best ${objectiveOf(experiment).name} so far`} />
        </Suspense>
      </div>
      {isCompression(experiment) && (
        <Card title="Original and best" className="third">
          <Baseline />
        </Card>
      )}
      <Card
        title="Top trials"
        actions={<a href={to(["experiments", experiment.id, "trials"], { sort: bestFirst(experiment) })}>All trials</a>}
      >
        <TopTrials />
      </Card>
      <div className="stack">
        <Suspense fallback={<Loading />}>
          <Details />
        </Suspense>
      </div>
    </div>
  );
}

const bestFirst = (experiment: Parameters<typeof objectiveOf>[0]): string =>
  objectiveOf(experiment).goal === "maximize" ? "-metric" : "metric";
