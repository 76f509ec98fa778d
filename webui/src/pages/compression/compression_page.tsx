// What a compression experiment has made: what was cut where, what it cost, what to ship.
import { lazy, Suspense, type ReactNode } from "react";
import { to, useQueryValue } from "../../app/router";
import { EmptyState, Loading } from "../../parts/states";
import { useExperiment } from "../experiment/context";

const FrontPage = lazy(() => import("./front_page"));
const HeatmapPage = lazy(() => import("./heatmap_page"));
const ModelCard = lazy(() => import("./model_card"));

const views = [
  ["front", "Pareto front"],
  ["layers", "Layers × trials"],
  ["model", "Model card"],
] as const;

export default function CompressionPage({ view }: { view: string }): ReactNode {
  const { experiment } = useExperiment();
  const [picked] = useQueryValue("trial");
  const trial = picked || (experiment.best?.trialId ?? "");
  return (
    <>
      <nav className="tabs minor" aria-label="Compression">
        {views.map(([name, title]) => (
          <a
            key={name}
            href={to(["experiments", experiment.id, "compression", name], { trial: picked })}
            aria-current={name === view ? "page" : undefined}
          >
            {title}
          </a>
        ))}
      </nav>
      <Suspense fallback={<Loading />}>
        {view === "front" && <FrontPage />}
        {view === "layers" && <HeatmapPage />}
        {view === "model" &&
          (trial ? (
            <ModelCard trialId={trial} />
          ) : (
            <EmptyState title="No model yet">The first comes when a trial succeeds.</EmptyState>
          ))}
      </Suspense>
    </>
  );
}
