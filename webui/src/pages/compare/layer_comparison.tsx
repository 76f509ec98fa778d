import { BarChart } from "echarts/charts";
import { LegendComponent } from "echarts/components";
import { useMemo, type ReactNode } from "react";
import { fetchReport, type Report } from "../../api/report";
import type { Trial } from "../../api/types";
import { useLoad } from "../../api/use_load";
import { grid, xAxis, yAxis } from "../../charts/axes";
import { Chart } from "../../charts/chart";
import { use, type EChartsOption } from "../../charts/echarts";
import { category, type Palette } from "../../charts/palette";
import { itemTooltip, tooltipContent } from "../../charts/tooltip";
import { percent } from "../../format/number";
import { WhenLoaded } from "../../parts/states";
import { useExperiment } from "../experiment/context";

use([BarChart, LegendComponent]);

interface Compared {
  readonly trial: Trial;
  readonly report: Report;
}

/** How sparse each trial has made each layer. */
export function LayerComparison({ trials }: { trials: readonly Trial[] }): ReactNode {
  const { experiment } = useExperiment();
  const loaded = useLoad(
    async (signal) => {
      const reports = await Promise.allSettled(trials.map(({ id }) => fetchReport(experiment.id, id, signal)));
      return reports.flatMap((result, index): Compared[] => {
        const trial = trials[index];
        return result.status === "fulfilled" && trial ? [{ trial, report: result.value }] : [];
      });
    },
    [experiment.id, trials.map(({ id }) => id).join(",")],
  );
  return <WhenLoaded loaded={loaded}>{(compared) => <Bars compared={compared} />}</WhenLoaded>;
}

function Bars({ compared }: { compared: readonly Compared[] }): ReactNode {
  const layers = useMemo(
    () => [...new Set(compared.flatMap(({ report }) => (report.layers ?? []).map(({ name }) => name)))],
    [compared],
  );
  const sparsity = (entry: Compared, name: string): number | null =>
    entry.report.layers?.find((layer) => layer.name === name)?.sparsity ?? null;
  const option = useMemo(
    () =>
      (palette: Palette): EChartsOption => ({
        grid: { ...grid, top: 34 },
        legend: { textStyle: { color: palette.soft }, top: 0 },
        xAxis: xAxis(palette, { name: "Layer", type: "category", categories: layers }),
        yAxis: yAxis(palette, { name: "Sparsity", isFree: false, min: 0, max: 1, show: (value) => percent(value, 0) }),
        tooltip: itemTooltip(palette, ({ seriesName, data, dataIndex }) =>
          tooltipContent(layers[dataIndex] ?? "", [[seriesName ?? "", percent(data)]]),
        ),
        series: compared.map((entry, index) => ({
          type: "bar" as const,
          name: `Trial ${entry.trial.sequence}`,
          data: layers.map((name) => sparsity(entry, name) ?? "-"),
          itemStyle: { color: category(palette, index) },
        })),
      }),
    [compared, layers],
  );
  return (
    <Chart
      title="Sparsity of the layers"
      summary={`${layers.length} layers of ${compared.length} trials.`}
      option={option}
      csv={() => [
        ["layer", ...compared.map(({ trial }) => `trial ${trial.sequence}`)],
        ...layers.map((name) => [name, ...compared.map((entry) => sparsity(entry, name))]),
      ]}
    />
  );
}
