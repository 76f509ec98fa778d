// The frame of every page, and which page an address names.
import { lazy, Suspense, type ReactNode } from "react";
import { Toasts } from "../parts/toast";
import { EmptyState, Loading } from "../parts/states";
import { ExperimentsPage } from "../pages/experiments/experiments_page";
import { ErrorBoundary } from "./error_boundary";
import { Header } from "./header";
import { to, usePlace, type Place } from "./router";
import { TokenDialog } from "./token_dialog";
import { ShortcutHelp } from "./shortcuts";

const ExperimentPage = lazy(() => import("../pages/experiment/experiment_page"));
const HostsPage = lazy(() => import("../pages/hosts/hosts_page"));
const CreatePage = lazy(() => import("../pages/create/create_page"));

function page({ path, query }: Place): ReactNode {
  const [first, second] = path;
  if (first === undefined || (first === "experiments" && second === undefined)) return <ExperimentsPage />;
  if (first === "experiments" && second) return <ExperimentPage key={second} id={second} rest={path.slice(2)} />;
  if (first === "hosts") return <HostsPage />;
  if (first === "new") return <CreatePage key={query.get("clone")} clone={query.get("clone")} />;
  return (
    <EmptyState title="There is no such page">
      <a href={to([])}>All experiments</a>
    </EmptyState>
  );
}

export function App(): ReactNode {
  const place = usePlace();
  return (
    <>
      <a className="skip" href="#main" onClick={skipToMain}>
        Skip to content
      </a>
      <Header place={place} />
      <main id="main" tabIndex={-1}>
        <ErrorBoundary resetKey={place.path.join("/")}>
          <Suspense fallback={<Loading />}>{page(place)}</Suspense>
        </ErrorBoundary>
      </main>
      <Toasts />
      <TokenDialog />
      <ShortcutHelp />
    </>
  );
}

/** The address behind # names a view, so that the link must not change it. */
function skipToMain(event: React.MouseEvent): void {
  event.preventDefault();
  document.getElementById("main")?.focus();
}
