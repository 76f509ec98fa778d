import { LineChart, ScatterChart } from "echarts/charts";
import { useMemo, type ReactNode } from "react";
import { objectiveOf } from "../../api/objective";
import { go, to } from "../../app/router";
import { grid, xAxis, yAxis } from "../../charts/axes";
import { Chart } from "../../charts/chart";
import { use, type EChartsOption } from "../../charts/echarts";
import type { Palette } from "../../charts/palette";
import { itemTooltip, tooltipContent } from "../../charts/tooltip";
import { measureOf, showCell } from "../../format/measures";
import { number } from "../../format/number";
import { plural } from "../../format/text";
import { WhenLoaded } from "../../parts/states";
import { useExperiment } from "../experiment/context";
import { withoutPenalties, type HistoryData } from "./history_data";
import { useHistory } from "./use_history";

use([LineChart, ScatterChart]);

interface Props {
  column: string;
  title: string;
  controls?: ReactNode;
  height?: string;
}

/** A metric against the number of the trial, and the best so far (the optimisation curve). */
export default function HistoryChart({ column, title, controls, height }: Props): ReactNode {
  const loaded = useHistory(column);
  return (
    <WhenLoaded loaded={loaded}>
      {(data) => <Drawn data={data} column={column} title={title} controls={controls} height={height ?? "20rem"} />}
    </WhenLoaded>
  );
}

function Drawn({ data, column, title, controls, height }: Props & { data: HistoryData; height: string }): ReactNode {
  const { experiment } = useExperiment();
  const { name } = objectiveOf(experiment);
  const show = useMemo(
    () => (value: number) => (column === "metric" ? (measureOf(name)?.show ?? number)(value) : showCell(column, value)),
    [column, name],
  );
  const drawn = useMemo(() => withoutPenalties(data), [data]);
  const hidden = data.points.length - drawn.points.length;
  const option = useMemo(() => (palette: Palette) => historyOption(palette, drawn, name, show), [drawn, name, show]);
  const last = data.best.at(-1);
  return (
    <Chart
      title={title}
      height={height}
      controls={controls}
      summary={`${plural(data.points.length, "point")}${last ? `, the best is ${show(last[1])} of trial ${last[0]}` : ""}.`}
      option={option}
      note={hidden > 0 ? `${plural(hidden, "trial")} that broke the constraint would lie far outside.` : undefined}
      csv={() => [["sequence", column, "best so far"], ...csvRows(data)]}
      onPick={({ data: point }) => {
        const sequence = Array.isArray(point) ? Number(point[0]) : NaN;
        if (Number.isFinite(sequence))
          go(to(["experiments", experiment.id, "trials"], { filter: `sequence = ${sequence}` }));
      }}
    />
  );
}

function csvRows({ points, best }: HistoryData): (readonly [number, number, number | null])[] {
  const bests = new Map(best);
  let latest: number | null = null;
  return points.map(([sequence, value]) => {
    latest = bests.get(sequence) ?? latest;
    return [sequence, value, latest] as const;
  });
}

function historyOption(
  palette: Palette,
  data: HistoryData,
  name: string,
  show: (value: number) => string,
): EChartsOption {
  const end = data.points.at(-1)?.[0] ?? 0;
  const last = data.best.at(-1);
  const steps = last && last[0] < end ? [...data.best, [end, last[1]] as const] : data.best;
  return {
    grid,
    xAxis: xAxis(palette, { name: "Trial", isFree: true }),
    yAxis: yAxis(palette, { name, show }),
    tooltip: itemTooltip(palette, ({ data: point, seriesName }) => {
      const [sequence, value] = point as [number, number];
      return tooltipContent(`Trial ${sequence}`, [[seriesName ?? "", show(value)]]);
    }),
    series: [
      {
        type: "scatter",
        name,
        data: data.points as [number, number][],
        symbolSize: data.points.length > 500 ? 4 : 7,
        itemStyle: { color: palette.faint, opacity: 0.75 },
        large: data.points.length > 3_000,
      },
      {
        type: "line",
        name: "Best so far",
        data: steps as [number, number][],
        step: "end",
        symbol: "none",
        lineStyle: { color: palette.accent, width: 2 },
        itemStyle: { color: palette.accent },
      },
    ],
  };
}
