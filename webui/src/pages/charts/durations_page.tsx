import { BarChart } from "echarts/charts";
import { DataZoomComponent } from "echarts/components";
import { useMemo, type ReactNode } from "react";
import { go, to } from "../../app/router";
import { grid, xAxis, yAxis } from "../../charts/axes";
import { Chart } from "../../charts/chart";
import { use, type EChartsOption } from "../../charts/echarts";
import type { Palette } from "../../charts/palette";
import { statusColour } from "../../charts/status_colours";
import { itemTooltip, tooltipContent } from "../../charts/tooltip";
import { plural, words } from "../../format/text";
import { duration } from "../../format/time";
import { EmptyState, WhenLoaded } from "../../parts/states";
import { useExperiment } from "../experiment/context";
import type { TableRow } from "./table_data";
import { useTable } from "./use_table";

use([BarChart, DataZoomComponent]);

const asked = ["duration", "status", "host"];

/** How long each trial took. */
export default function DurationsPage(): ReactNode {
  const loaded = useTable(asked);
  return <WhenLoaded loaded={loaded}>{(data) => <Drawn rows={data.rows} />}</WhenLoaded>;
}

function Drawn({ rows }: { rows: readonly TableRow[] }): ReactNode {
  const { experiment } = useExperiment();
  const bars = useMemo(
    () => rows.filter(({ values }) => typeof values[0] === "number").sort((a, b) => a.sequence - b.sequence),
    [rows],
  );
  const option = useMemo(() => (palette: Palette) => durationOption(palette, bars), [bars]);
  if (bars.length === 0) return <EmptyState title="No trial has ended yet" />;
  const seconds = bars.map(({ values }) => values[0] as number).sort((a, b) => a - b);
  const median = seconds[Math.floor(seconds.length / 2)];
  return (
    <Chart
      title="Durations"
      summary={`${plural(bars.length, "trial")}, median ${duration(median)}.`}
      note={`Median ${duration(median)}, longest ${duration(seconds.at(-1))}. Scroll to zoom.`}
      height="calc(100vh - 21rem)"
      option={option}
      csv={() => [["sequence", "id", ...asked], ...bars.map(({ sequence, id, values }) => [sequence, id, ...values])]}
      onPick={({ dataIndex }) => {
        const picked = bars[dataIndex ?? -1];
        if (picked) go(to(["experiments", experiment.id, "trials", picked.id]));
      }}
    />
  );
}

function durationOption(palette: Palette, bars: readonly TableRow[]): EChartsOption {
  return {
    grid,
    xAxis: xAxis(palette, {
      name: "Trial",
      type: "category",
      categories: bars.map(({ sequence }) => String(sequence)),
    }),
    yAxis: yAxis(palette, { name: "Duration", isFree: false, show: duration }),
    dataZoom: [{ type: "inside" }],
    tooltip: itemTooltip(palette, ({ dataIndex }) => {
      const bar = bars[dataIndex];
      return tooltipContent(`Trial ${bar?.sequence}`, [
        ["duration", duration(bar?.values[0])],
        ["status", words(String(bar?.values[1] ?? ""))],
        ["host", String(bar?.values[2] ?? "–")],
      ]);
    }),
    series: [
      {
        type: "bar",
        large: false,
        barMaxWidth: 26,
        data: bars.map(({ values }) => ({
          value: values[0] as number,
          itemStyle: { color: statusColour(palette, String(values[1])) },
        })),
      },
    ],
  };
}
