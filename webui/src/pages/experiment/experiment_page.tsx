// The frame of one experiment's pages: its name, its state, what can be done to it, and the tabs.
import { lazy, Suspense, useEffect, useMemo, type ReactNode } from "react";
import { ExperimentLive } from "../../api/experiment_live";
import { isCompression } from "../../api/objective";
import { useStore } from "../../api/store";
import type { Experiment } from "../../api/types";
import { to } from "../../app/router";
import { ErrorBoundary } from "../../app/error_boundary";
import { EmptyState, ErrorState, Loading } from "../../parts/states";
import { Status } from "../../parts/status";
import { Text } from "../../parts/text";
import { OverviewPage } from "../overview/overview_page";
import { ExperimentContext } from "./context";
import { ExperimentMenu } from "./experiment_menu";
import { Notices } from "./notices";

const TrialsPage = lazy(() => import("../trials/trials_page"));
const TrialPage = lazy(() => import("../trial/trial_page"));
const ComparePage = lazy(() => import("../compare/compare_page"));
const ChartsPage = lazy(() => import("../charts/charts_page"));
const CompressionPage = lazy(() => import("../compression/compression_page"));
const ConfigurationPage = lazy(() => import("../configuration/configuration_page"));

function view(rest: readonly string[]): ReactNode {
  const [name, detail] = rest;
  if (name === undefined) return <OverviewPage />;
  if (name === "trials" && detail) return <TrialPage key={detail} id={detail} />;
  if (name === "trials") return <TrialsPage />;
  if (name === "compare") return <ComparePage />;
  if (name === "charts") return <ChartsPage kind={detail ?? "history"} />;
  if (name === "compression") return <CompressionPage view={detail ?? "front"} />;
  if (name === "configuration") return <ConfigurationPage />;
  return <EmptyState title="There is no such page" />;
}

export default function ExperimentPage({ id, rest }: { id: string; rest: readonly string[] }): ReactNode {
  const live = useMemo(() => new ExperimentLive(id), [id]);
  useEffect(() => {
    const controller = new AbortController();
    live.start(controller.signal);
    return () => controller.abort();
  }, [live]);
  const experiment = useStore(live.experiment);
  const error = useStore(live.error);
  const isDeleted = useStore(live.isDeleted);
  useTitle(experiment);

  if (isDeleted) {
    return (
      <EmptyState title="This experiment has been deleted">
        <a href={to([])}>All experiments</a>
      </EmptyState>
    );
  }
  if (!experiment) {
    return error === null ? <Loading /> : <ErrorState error={error} retry={() => void live.load()} />;
  }
  return (
    <ExperimentContext.Provider value={{ live, experiment }}>
      <div className="page-head">
        <h1>
          <Text length={120} hasTitle>
            {experiment.name || experiment.id}
          </Text>
        </h1>
        <Status status={experiment.status} />
        <span className="mono soft">{experiment.id}</span>
        <ExperimentMenu experiment={experiment} />
      </div>
      <Tabs experiment={experiment} current={rest[0] ?? ""} />
      <Notices experiment={experiment} />
      <ErrorBoundary resetKey={rest.join("/")}>
        <Suspense fallback={<Loading />}>{view(rest)}</Suspense>
      </ErrorBoundary>
    </ExperimentContext.Provider>
  );
}

function useTitle(experiment: Experiment | null): void {
  const name = experiment?.name ?? experiment?.id ?? "";
  useEffect(() => {
    document.title = name ? `${name.slice(0, 60)} · Lathe` : "Lathe";
    return () => {
      document.title = "Lathe";
    };
  }, [name]);
}

function Tabs({ experiment, current }: { experiment: Experiment; current: string }): ReactNode {
  const tabs: readonly (readonly [string, string])[] = [
    ["", "Overview"],
    ["trials", "Trials"],
    ["charts", "Charts"],
    ...(isCompression(experiment) ? [["compression", "Compression"] as const] : []),
    ["configuration", "Configuration"],
  ];
  const shown = current === "compare" ? "trials" : current;
  return (
    <nav className="tabs" aria-label="Experiment">
      {tabs.map(([name, title]) => (
        <a
          key={name}
          href={to(["experiments", experiment.id, ...(name ? [name] : [])])}
          aria-current={name === shown ? "page" : undefined}
        >
          {title}
        </a>
      ))}
    </nav>
  );
}
