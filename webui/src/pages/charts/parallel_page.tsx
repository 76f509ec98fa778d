import { useMemo, type ReactNode } from "react";
import type { Column } from "../../api/analysis";
import { objectiveOf } from "../../api/objective";
import { parameterColumns } from "../../api/use_columns";
import { useQueryList, useQueryValue } from "../../app/router";
import { count } from "../../format/number";
import { Choice } from "../../parts/choice";
import { WhenLoaded } from "../../parts/states";
import { useExperiment } from "../experiment/context";
import { ColumnChooser } from "../trials/column_chooser";
import { axisGroups } from "./axis_groups";
import { MetricChoice } from "./metric_choice";
import { ParallelChart } from "./parallel_chart";
import { bestShare } from "./table_data";
import { useTable } from "./use_table";
import { WithColumns } from "./with_columns";

const shares = [
  ["1", "all trials"],
  ["0.2", "best 20 %"],
  ["0.05", "best 5 %"],
  ["0.01", "best 1 %"],
] as const;
const mostAxes = 24;
const mostGroups = 12;

export default function ParallelPage(): ReactNode {
  return <WithColumns>{(columns) => <Parallel known={columns} />}</WithColumns>;
}

function Parallel({ known }: { known: readonly Column[] }): ReactNode {
  const { experiment } = useExperiment();
  const { goal } = objectiveOf(experiment);
  const [metric, setMetric] = useQueryValue("metric", "metric");
  const [share, setShare] = useQueryValue("best", "1");
  const [chosen, setChosen] = useQueryList("axes");
  const available = useMemo(() => parameterColumns(known), [known]);
  const axes = useMemo(
    () => (chosen.length > 0 ? chosen : available.map(({ name }) => name)).slice(0, mostAxes),
    [chosen, available],
  );
  // The choices decide about the groups, whether or not they are among the chosen axes.
  const asked = useMemo(
    () => [
      ...new Set([metric, ...available.map(({ name }) => name).filter((name) => name.endsWith("._name")), ...axes]),
    ],
    [metric, available, axes],
  );
  const loaded = useTable(asked);
  return (
    <>
      <div className="row filters">
        <MetricChoice columns={known} value={metric} set={setMetric} />
        <Choice label="Show" value={share} items={shares} set={setShare} />
        <ColumnChooser known={available} chosen={axes} set={setChosen} />
        <span className="soft">Drag along an axis to brush it; drag again to move, click to clear.</span>
      </div>
      <WhenLoaded loaded={loaded}>
        {(data) => {
          const goalOfMetric = known.find(({ name }) => name === metric)?.goal ?? goal;
          const rows = bestShare(data.rows, 0, Number(share) || 1, goalOfMetric);
          const groups = axisGroups(
            asked.slice(1),
            rows.map((row) => ({ ...row, values: row.values.slice(1) })),
          );
          const values = new Map(rows.map((row) => [row.id, row.values[0] ?? null]));
          return (
            <div className="stack">
              {data.sampled && (
                <p className="soft">
                  {count(data.rows.length)} of {count(data.matched)} trials are drawn: the best ones and an even spread
                  of the others.
                </p>
              )}
              {groups.slice(0, mostGroups).map((group) => (
                <ParallelChart
                  key={group.title}
                  group={group}
                  columns={asked.slice(1)}
                  known={known}
                  metric={metric}
                  metricOf={(row) => values.get(row.id) ?? null}
                />
              ))}
              {groups.length > mostGroups && (
                <p className="soft">{groups.length - mostGroups} smaller groups are not drawn.</p>
              )}
            </div>
          );
        }}
      </WhenLoaded>
    </>
  );
}
