// The charts of an experiment, each with an address of its own.
import { lazy, Suspense, type ComponentType, type LazyExoticComponent, type ReactNode } from "react";
import { to } from "../../app/router";
import { EmptyState, Loading } from "../../parts/states";
import { useExperiment } from "../experiment/context";

interface Kind {
  readonly title: string;
  readonly Page: LazyExoticComponent<ComponentType>;
}

const kinds: Readonly<Record<string, Kind>> = {
  history: { title: "History", Page: lazy(() => import("./history_page")) },
  parallel: { title: "Parallel coordinates", Page: lazy(() => import("./parallel_page")) },
  slice: { title: "Slice", Page: lazy(() => import("./slice_page")) },
  contour: { title: "Contour", Page: lazy(() => import("./contour_page")) },
  importance: { title: "Importance", Page: lazy(() => import("./importance_page")) },
  intermediates: { title: "Intermediates", Page: lazy(() => import("./intermediates_page")) },
  durations: { title: "Durations", Page: lazy(() => import("./durations_page")) },
  timeline: { title: "Timeline", Page: lazy(() => import("./timeline_page")) },
};

export default function ChartsPage({ kind }: { kind: string }): ReactNode {
  const { experiment } = useExperiment();
  const shown = kinds[kind];
  return (
    <>
      <nav className="tabs minor" aria-label="Charts">
        {Object.entries(kinds).map(([name, { title }]) => (
          <a
            key={name}
            href={to(["experiments", experiment.id, "charts", name])}
            aria-current={name === kind ? "page" : undefined}
          >
            {title}
          </a>
        ))}
      </nav>
      <Suspense fallback={<Loading />}>
        {shown ? <shown.Page key={kind} /> : <EmptyState title="There is no such chart" />}
      </Suspense>
    </>
  );
}
