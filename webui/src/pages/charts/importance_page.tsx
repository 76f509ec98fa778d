import { BarChart } from "echarts/charts";
import { useCallback, useMemo, useRef, type ReactNode } from "react";
import { analysis, type Column, type Importance } from "../../api/analysis";
import type { Batch } from "../../api/experiment_live";
import { useLoad } from "../../api/use_load";
import { useQueryValue } from "../../app/router";
import { xAxis, yAxis } from "../../charts/axes";
import { Chart } from "../../charts/chart";
import { use, type EChartsOption } from "../../charts/echarts";
import type { Palette } from "../../charts/palette";
import { itemTooltip, tooltipContent } from "../../charts/tooltip";
import { count, percent } from "../../format/number";
import { EmptyState, WhenLoaded } from "../../parts/states";
import { useBatches, useExperiment } from "../experiment/context";
import { tableTitle } from "../trials/trial_table_columns";
import { MetricChoice } from "./metric_choice";
import { WithColumns } from "./with_columns";

use([BarChart]);

/** Importances are of all trials, so that each new one changes them all a little: now and then is often enough. */
const againAfter = 10_000;

export default function ImportancePage(): ReactNode {
  return <WithColumns>{(columns) => <Importances known={columns} />}</WithColumns>;
}

function Importances({ known }: { known: readonly Column[] }): ReactNode {
  const { experiment } = useExperiment();
  const [metric, setMetric] = useQueryValue("metric", "metric");
  const loaded = useLoad(
    (signal) => analysis.importance(experiment.id, { column: metric }, signal),
    [experiment.id, metric],
  );
  const { reload } = loaded;
  const latest = useRef(Date.now());
  const take = useCallback(
    (batch: Batch) => {
      if (!batch.wasReset && (batch.trials.length === 0 || Date.now() - latest.current < againAfter)) return;
      latest.current = Date.now();
      reload();
    },
    [reload],
  );
  useBatches(take);
  const controls = <MetricChoice columns={known} value={metric} set={setMetric} />;
  return (
    <WhenLoaded loaded={loaded}>
      {(data) =>
        data.items?.length ? (
          <Bars data={data} controls={controls} />
        ) : (
          <>
            <div className="row filters">{controls}</div>
            <EmptyState title="Too early to tell">{data.reason ?? "More trials have to end first."}</EmptyState>
          </>
        )
      }
    </WhenLoaded>
  );
}

function Bars({ data, controls }: { data: Importance; controls: ReactNode }): ReactNode {
  const items = useMemo(() => [...(data.items ?? [])].sort((a, b) => b.importance - a.importance), [data]);
  const option = useMemo(() => (palette: Palette) => barOption(palette, items), [items]);
  return (
    <Chart
      title="Importance of the parameters"
      summary={items
        .slice(0, 3)
        .map(({ parameter, importance }) => `${tableTitle(parameter)} ${percent(importance, 0)}`)
        .join(", ")}
      note={`How much the best ${count(data.topTrials)} of ${count(data.trials)} trials differ from all in each parameter (conditional PED-ANOVA).`}
      height={`${Math.max(14, 5 + 1.6 * items.length)}rem`}
      controls={controls}
      option={option}
      csv={() => [
        ["parameter", "importance", "regimes"],
        ...items.map(({ parameter, importance, regimes }) => [parameter, importance, regimes]),
      ]}
    />
  );
}

function barOption(palette: Palette, items: NonNullable<Importance["items"]>): EChartsOption {
  const names = items.map(({ parameter }) => parameterTitle(parameter));
  return {
    grid: { left: 200, right: 60, top: 8, bottom: 44 },
    xAxis: xAxis(palette, { name: "Share of the importance", isFree: false, show: (value) => percent(value, 0) }),
    yAxis: {
      ...yAxis(palette, { name: "", type: "category", categories: names, isInverse: true }),
      axisLabel: { color: palette.ink, width: 180, overflow: "truncate" },
    },
    tooltip: itemTooltip(palette, ({ dataIndex }) => {
      const item = items[dataIndex];
      return tooltipContent(names[dataIndex] ?? "", [
        ["importance", percent(item?.importance)],
        ["regimes", count(item?.regimes)],
      ]);
    }),
    series: [
      {
        type: "bar",
        data: items.map(({ importance }) => importance),
        itemStyle: { color: palette.accent },
        barMaxWidth: 18,
        label: {
          show: true,
          position: "right",
          color: palette.soft,
          formatter: ({ value }: { value: unknown }) => percent(value, 1),
        } as never,
      },
    ],
  };
}

const parameterTitle = (name: string): string => tableTitle(name.startsWith("parameter.") ? name : `parameter.${name}`);
