import { HeatmapChart } from "echarts/charts";
import { DataZoomComponent, VisualMapComponent } from "echarts/components";
import { useMemo, type ReactNode } from "react";
import { analysis, type Layers } from "../../api/analysis";
import { objectiveOf } from "../../api/objective";
import { useLoad } from "../../api/use_load";
import { go, to, useQueryValue } from "../../app/router";
import { xAxis, yAxis } from "../../charts/axes";
import { Chart } from "../../charts/chart";
import { use, type EChartsOption } from "../../charts/echarts";
import type { Palette } from "../../charts/palette";
import { itemTooltip, tooltipContent } from "../../charts/tooltip";
import { number, percent } from "../../format/number";
import { plural } from "../../format/text";
import { Choice } from "../../parts/choice";
import { EmptyState, WhenLoaded } from "../../parts/states";
import { useExperiment } from "../experiment/context";

use([HeatmapChart, DataZoomComponent, VisualMapComponent]);

type Value = Layers["value"];

const values: Readonly<Record<Value, { title: string; show: (value: unknown) => string }>> = {
  sparsity: { title: "Sparsity", show: (value) => percent(value, 1) },
  channels: { title: "Channels kept", show: (value) => percent(value, 1) },
  macs: { title: "MACs kept", show: (value) => percent(value, 1) },
  bits: { title: "Bits", show: number },
};
const most = 200;

/** What was cut where, over the trials: layers down, trials across. */
export default function HeatmapPage(): ReactNode {
  const { experiment } = useExperiment();
  const { goal } = objectiveOf(experiment);
  const [asked, setValue] = useQueryValue("value", "sparsity");
  const value = (asked in values ? asked : "sparsity") as Value;
  const [order, setOrder] = useQueryValue("order", "best");
  const sort = order === "best" ? (goal === "maximize" ? "-metric" : "metric") : "sequence";
  const ended = experiment.counts.SUCCEEDED ?? 0;
  // Reports are read anew when the number of trials has grown by a tenth.
  const wave = Math.floor(Math.log(ended + 1) / Math.log(1.1));
  const loaded = useLoad(
    (signal) => analysis.layers(experiment.id, { value, trials: most, sort }, signal),
    [experiment.id, value, sort, wave],
  );
  return (
    <>
      <div className="row filters">
        <Choice
          label="Colour"
          value={value}
          items={Object.entries(values).map(([name, { title }]) => [name, title] as const)}
          set={setValue}
        />
        <Choice
          label="Trials"
          value={order}
          items={[
            ["best", "best first"],
            ["sequence", "in their order"],
          ]}
          set={setOrder}
        />
      </div>
      <WhenLoaded loaded={loaded}>
        {(data) =>
          data.trials.length === 0 ? (
            <EmptyState title="No trial has left a report yet" />
          ) : (
            <Drawn data={data} value={value} />
          )
        }
      </WhenLoaded>
    </>
  );
}

function Drawn({ data, value }: { data: Layers; value: Value }): ReactNode {
  const { experiment } = useExperiment();
  const { title, show } = values[value];
  const option = useMemo(() => (palette: Palette) => heatmapOption(palette, data, value, show), [data, value, show]);
  return (
    <Chart
      title={`${title}, layer by layer`}
      summary={`${plural(data.layers.length, "layer")} of ${plural(data.trials.length, "trial")}.`}
      note="Press a column to see its model. Scroll to zoom."
      height={`${Math.min(60, Math.max(16, 8 + 1.5 * data.layers.length))}rem`}
      option={option}
      csv={() => [
        ["sequence", "id", "metric", ...data.layers],
        ...data.trials.map(({ sequence, id, metric }, place) => [sequence, id, metric, ...(data.values[place] ?? [])]),
      ]}
      onPick={({ data: cell }) => {
        const trial = Array.isArray(cell) ? data.trials[Number(cell[0])] : undefined;
        if (trial) go(to(["experiments", experiment.id, "compression", "model"], { trial: trial.id }));
      }}
    />
  );
}

function heatmapOption(
  palette: Palette,
  { layers, trials, values: rows }: Layers,
  value: string,
  show: (value: unknown) => string,
): EChartsOption {
  const cells = rows.flatMap((row, across) =>
    row.flatMap((cell, down): [number, number, number][] => (cell === null ? [] : [[across, down, cell]])),
  );
  const all = cells.map(([, , cell]) => cell);
  const [low, high] = value !== "bits" ? [0, 1] : [Math.min(...all), Math.max(...all)];
  return {
    grid: { left: 150, right: 100, top: 8, bottom: 48 },
    xAxis: xAxis(palette, {
      name: "Trial",
      type: "category",
      categories: trials.map(({ sequence }) => String(sequence)),
    }),
    yAxis: {
      ...yAxis(palette, { name: "", type: "category", categories: layers, isInverse: true }),
      splitLine: { show: false },
    },
    dataZoom: [{ type: "inside" }],
    tooltip: itemTooltip(palette, ({ data }) => {
      const [across, down, cell] = data as [number, number, number];
      return tooltipContent(`Trial ${trials[across]?.sequence}`, [
        [layers[down] ?? "", show(cell)],
        ["metric", number(trials[across]?.metric)],
      ]);
    }),
    visualMap: {
      type: "continuous",
      min: low,
      max: high,
      inRange: { color: [...palette.scale] },
      right: 4,
      top: "middle",
      text: [show(high), show(low)],
      textStyle: { color: palette.soft },
      formatter: ((each: number) => show(each)) as never,
    },
    series: [
      {
        type: "heatmap",
        data: cells,
        progressive: 2_000,
        itemStyle: { borderColor: palette.card, borderWidth: trials.length > 80 ? 0 : 1 },
      },
    ],
  };
}
