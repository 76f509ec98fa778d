// Trials side by side: first what differs.
import { lazy, Suspense, useMemo, type ReactNode } from "react";
import { api } from "../../api/client";
import { isCompression } from "../../api/objective";
import type { Trial } from "../../api/types";
import { useLoad } from "../../api/use_load";
import { to, useQueryList } from "../../app/router";
import { Card } from "../../parts/card";
import { EmptyState, WhenLoaded } from "../../parts/states";
import { Status } from "../../parts/status";
import { Text } from "../../parts/text";
import { useExperiment } from "../experiment/context";
import { compareRows, type CompareRow } from "./compare_rows";
import { LayerComparison } from "./layer_comparison";

const IntermediateChart = lazy(() => import("../charts/intermediate_chart"));

export default function ComparePage(): ReactNode {
  const { experiment } = useExperiment();
  const [ids] = useQueryList("trials");
  const loaded = useLoad(
    (signal) =>
      Promise.all(
        ids.map((tid) =>
          api.get("/api/v1/experiments/{id}/trials/{tid}", { path: { id: experiment.id, tid }, signal }),
        ),
      ),
    [experiment.id, ids.join(",")],
  );
  if (ids.length === 0) {
    return (
      <EmptyState title="Nothing to compare">
        Select trials in the <a href={to(["experiments", experiment.id, "trials"])}>table</a>.
      </EmptyState>
    );
  }
  return <WhenLoaded loaded={loaded}>{(trials) => <Comparison trials={trials} />}</WhenLoaded>;
}

function Comparison({ trials }: { trials: readonly Trial[] }): ReactNode {
  const { experiment } = useExperiment();
  const rows = useMemo(() => compareRows(trials), [trials]);
  const ids = trials.map(({ id }) => id);
  const finished = trials.filter(({ status }) => status === "SUCCEEDED");
  return (
    <div className="stack">
      <Card title={`${trials.length} trials side by side`}>
        <div className="scroll" tabIndex={0} role="region" aria-label="Comparison">
          <table className="plain">
            <thead>
              <tr>
                <th scope="col">What differs first</th>
                {trials.map(({ id, sequence, status }) => (
                  <th key={id} scope="col" className="number">
                    <a href={to(["experiments", experiment.id, "trials", id])}>Trial {sequence}</a>
                    <br />
                    <Status status={status} />
                  </th>
                ))}
              </tr>
            </thead>
            <tbody>
              {rows.map((row) => (
                <Row key={row.name} row={row} />
              ))}
            </tbody>
          </table>
        </div>
      </Card>
      <Suspense fallback={null}>
        <IntermediateChart trials={ids} title="Intermediate results" />
      </Suspense>
      {isCompression(experiment) && finished.length > 0 && <LayerComparison trials={finished} />}
    </div>
  );
}

function Row({ row }: { row: CompareRow }): ReactNode {
  return (
    <tr className={row.differs ? undefined : "soft"}>
      <th scope="row">
        <Text length={80}>{row.title}</Text>
      </th>
      {row.cells.map(({ text, isBest }, index) => (
        <td key={index} className={isBest ? "number better" : "number"}>
          <Text length={60} hasTitle>
            {text}
          </Text>
          {isBest && <span title="best of these"> ★</span>}
        </td>
      ))}
    </tr>
  );
}
