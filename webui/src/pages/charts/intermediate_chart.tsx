import { LineChart } from "echarts/charts";
import { DataZoomComponent, LegendComponent } from "echarts/components";
import { useCallback, useEffect, useMemo, useState, type ReactNode } from "react";
import { analysis } from "../../api/analysis";
import type { Batch } from "../../api/experiment_live";
import { useLoad } from "../../api/use_load";
import { grid, xAxis, yAxis } from "../../charts/axes";
import { Chart } from "../../charts/chart";
import { use, type EChartsOption } from "../../charts/echarts";
import { category, type Palette } from "../../charts/palette";
import { itemTooltip, tooltipContent } from "../../charts/tooltip";
import { number } from "../../format/number";
import { plural } from "../../format/text";
import { WhenLoaded } from "../../parts/states";
import { useBatches, useExperiment } from "../experiment/context";
import { curvesOf, withMetrics, type Curve } from "./intermediate_data";

use([LineChart, DataZoomComponent, LegendComponent]);

interface Props {
  title: string;
  /** These trials, or the best `top` ones. */
  trials?: readonly string[];
  top?: number;
  controls?: ReactNode;
  height?: string;
}

const mostPoints = 500;

export default function IntermediateChart({ title, trials, top, controls, height = "18rem" }: Props): ReactNode {
  const { experiment } = useExperiment();
  const loaded = useLoad(
    (signal) =>
      analysis.intermediates(
        experiment.id,
        { ...(trials ? { trials } : { top: top ?? 20 }), points: mostPoints },
        signal,
      ),
    [experiment.id, trials?.join(","), top],
  );
  const [curves, setCurves] = useState<readonly Curve[]>([]);
  const { data, reload } = loaded;
  useEffect(() => {
    if (data) setCurves(curvesOf(data));
  }, [data]);
  const take = useCallback(
    (batch: Batch) => {
      if (batch.wasReset) reload();
      else setCurves((before) => withMetrics(before, batch.metrics));
    },
    [reload],
  );
  useBatches(take);
  const option = useMemo(() => (palette: Palette) => curveOption(palette, curves), [curves]);
  return (
    <WhenLoaded loaded={loaded}>
      {() => (
        <Chart
          title={title}
          height={height}
          controls={controls}
          summary={`${plural(curves.length, "curve")} of intermediate results.`}
          option={option}
          csv={() => [
            ["trial", "sequence", "index", "value"],
            ...curves.flatMap(({ id, sequence, points }) => points.map(([x, y]) => [id, sequence, x, y] as const)),
          ]}
          note={
            curves.every(({ points }) => points.length === 0)
              ? "No intermediate results have been reported."
              : undefined
          }
        />
      )}
    </WhenLoaded>
  );
}

function curveOption(palette: Palette, curves: readonly Curve[]): EChartsOption {
  const isSmall = curves.length <= 12;
  return {
    grid: { ...grid, top: isSmall && curves.length > 1 ? 34 : 18 },
    legend: { show: isSmall && curves.length > 1, type: "plain", textStyle: { color: palette.soft }, top: 0 },
    xAxis: { ...xAxis(palette, { name: "Index of the result", isFree: true }), minInterval: 1 },
    yAxis: yAxis(palette, { name: "Value" }),
    dataZoom: [{ type: "inside" }],
    tooltip: itemTooltip(palette, ({ data, seriesName }) => {
      const [x, y] = data as [number, number];
      return tooltipContent(seriesName ?? "", [[`result ${x}`, number(y)]]);
    }),
    series: curves.map(({ sequence, points }, index) => ({
      type: "line" as const,
      name: `Trial ${sequence}`,
      data: points as [number, number][],
      symbolSize: 5,
      showSymbol: points.length <= 60,
      lineStyle: { width: 1.5, color: category(palette, index), opacity: isSmall ? 1 : 0.6 },
      itemStyle: { color: category(palette, index) },
    })),
  };
}
