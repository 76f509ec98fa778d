import { BarChart } from "echarts/charts";
import { DataZoomComponent, LegendComponent } from "echarts/components";
import { useMemo, type ReactNode } from "react";
import { channelsOf, type LayerReport } from "../../api/report";
import { useQueryValue } from "../../app/router";
import { grid, xAxis, yAxis } from "../../charts/axes";
import { Chart } from "../../charts/chart";
import { use, type EChartsOption } from "../../charts/echarts";
import type { Palette } from "../../charts/palette";
import { itemTooltip, tooltipContent } from "../../charts/tooltip";
import { count, short } from "../../format/number";
import { Choice } from "../../parts/choice";

use([BarChart, DataZoomComponent, LegendComponent]);

interface Kind {
  readonly title: string;
  readonly of: (layer: LayerReport) => { before: number | null; after: number | null };
}

const kinds: Readonly<Record<string, Kind>> = {
  channels: { title: "Output channels", of: channelsOf },
  macs: {
    title: "MACs",
    of: ({ macs_before, macs_after }) => ({ before: macs_before ?? null, after: macs_after ?? null }),
  },
  latency: {
    title: "Time (ms)",
    of: ({ latency_ms_before, latency_ms_after }) => ({
      before: latency_ms_before ?? null,
      after: latency_ms_after ?? null,
    }),
  },
};

/** Each layer before and after. */
export default function LayerBars({ layers }: { layers: readonly LayerReport[] }): ReactNode {
  const [name, setName] = useQueryValue("bars", "channels");
  const offered = Object.entries(kinds).filter(([, { of }]) => layers.some((layer) => of(layer).before !== null));
  const kind = kinds[name] ?? kinds["channels"];
  const option = useMemo(() => (palette: Palette) => (kind ? barOption(palette, layers, kind) : {}), [layers, kind]);
  return (
    <Chart
      title={`${kind?.title ?? ""} of the layers`}
      summary={`${layers.length} layers before and after.`}
      height="24rem"
      shape={name}
      controls={
        <Choice
          label="Show"
          value={name}
          items={offered.map(([key, { title }]) => [key, title] as const)}
          set={setName}
        />
      }
      option={option}
      csv={() => [
        ["layer", "before", "after"],
        ...layers.map((layer) => [layer.name, kind?.of(layer).before ?? null, kind?.of(layer).after ?? null]),
      ]}
    />
  );
}

function barOption(palette: Palette, layers: readonly LayerReport[], { title, of }: Kind): EChartsOption {
  const values = layers.map(of);
  return {
    grid: { ...grid, top: 34, bottom: 70 },
    legend: { top: 0, textStyle: { color: palette.soft } },
    xAxis: {
      ...xAxis(palette, { name: "", type: "category", categories: layers.map(({ name }) => name) }),
      axisLabel: { color: palette.soft, rotate: layers.length > 6 ? 35 : 0, width: 90, overflow: "truncate" },
    },
    yAxis: yAxis(palette, { name: title, isFree: false, show: short }),
    dataZoom: [{ type: "inside" }],
    tooltip: itemTooltip(palette, ({ dataIndex }) =>
      tooltipContent(layers[dataIndex]?.name ?? "", [
        ["original", count(values[dataIndex]?.before)],
        ["this model", count(values[dataIndex]?.after)],
      ]),
    ),
    series: [
      {
        type: "bar",
        name: "Original",
        barGap: "-100%",
        barMaxWidth: 30,
        data: values.map(({ before }) => before ?? "-"),
        itemStyle: { color: "transparent", borderColor: palette.soft, borderWidth: 1 },
      },
      {
        type: "bar",
        name: "This model",
        barMaxWidth: 30,
        data: values.map(({ after }) => after ?? "-"),
        itemStyle: { color: palette.accent, opacity: 0.85 },
      },
    ],
  };
}
