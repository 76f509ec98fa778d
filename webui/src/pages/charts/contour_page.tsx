import { HeatmapChart, ScatterChart } from "echarts/charts";
import { VisualMapComponent } from "echarts/components";
import { useMemo, type ReactNode } from "react";
import type { Column } from "../../api/analysis";
import { objectiveOf } from "../../api/objective";
import { parameterColumns } from "../../api/use_columns";
import { go, to, useQueryValue } from "../../app/router";
import { grid, xAxis, yAxis } from "../../charts/axes";
import { Chart } from "../../charts/chart";
import { use, type EChartsOption } from "../../charts/echarts";
import type { Palette } from "../../charts/palette";
import { itemTooltip, tooltipContent } from "../../charts/tooltip";
import { number } from "../../format/number";
import { plural } from "../../format/text";
import { Choice } from "../../parts/choice";
import { EmptyState, WhenLoaded } from "../../parts/states";
import { useExperiment } from "../experiment/context";
import { tableTitle } from "../trials/trial_table_columns";
import { field, type Sample } from "./contour_field";
import { MetricChoice } from "./metric_choice";
import type { TableRow } from "./table_data";
import { useTable } from "./use_table";
import { WithColumns } from "./with_columns";

use([HeatmapChart, ScatterChart, VisualMapComponent]);

const cells = 48;

/** The metric over two parameters. */
export default function ContourPage(): ReactNode {
  return <WithColumns>{(columns) => <Contour known={columns} />}</WithColumns>;
}

function Contour({ known }: { known: readonly Column[] }): ReactNode {
  const numeric = useMemo(
    () => parameterColumns(known).filter(({ type, min, max }) => type === "number" && min !== max),
    [known],
  );
  const [metric, setMetric] = useQueryValue("metric", "metric");
  const [x, setX] = useQueryValue("x", numeric[0]?.name ?? "");
  const [y, setY] = useQueryValue("y", numeric[1]?.name ?? "");
  const asked = useMemo(() => [metric, x, y].filter(Boolean), [metric, x, y]);
  const loaded = useTable(asked);
  if (numeric.length < 2) {
    return (
      <EmptyState title="A contour needs two numbers">
        The trials have fewer than two numeric parameters that differ.
      </EmptyState>
    );
  }
  const items = numeric.map(({ name }) => [name, tableTitle(name)] as const);
  return (
    <>
      <div className="row filters">
        <Choice label="Across" value={x} items={items} set={setX} />
        <Choice label="Up" value={y} items={items} set={setY} />
        <MetricChoice columns={known} value={metric} set={setMetric} label="Colour" />
      </div>
      <WhenLoaded loaded={loaded}>
        {(data) => <Drawn rows={data.rows} names={[metric, x, y]} known={known} />}
      </WhenLoaded>
    </>
  );
}

interface DrawnProps {
  rows: readonly TableRow[];
  names: readonly [metric: string, x: string, y: string];
  known: readonly Column[];
}

function Drawn({ rows, names, known }: DrawnProps): ReactNode {
  const { experiment } = useExperiment();
  const objective = objectiveOf(experiment).name;
  const [metric, x, y] = names;
  const points = useMemo(
    () => rows.filter(({ values }) => values.slice(0, 3).every((value) => typeof value === "number")),
    [rows],
  );
  const option = useMemo(() => {
    const isLog = (column: string): boolean => known.find(({ name }) => name === column)?.log ?? false;
    const titles = names.map((name) => tableTitle(name, objective)) as unknown as readonly [string, string, string];
    return (palette: Palette) => contourOption(palette, points, titles, [isLog(x), isLog(y)]);
  }, [points, names, known, objective, x, y]);
  if (points.length < 3) return <EmptyState title="Too few trials have both parameters" />;
  return (
    <Chart
      title={`${tableTitle(metric, objective)} over ${tableTitle(x)} and ${tableTitle(y)}`}
      summary={plural(points.length, "trial")}
      note="Points are trials; the surface between them is interpolated from the eight nearest."
      height="calc(100vh - 22rem)"
      option={option}
      csv={() => [
        ["sequence", x, y, metric],
        ...points.map(({ sequence, values }) => [sequence, values[1] ?? null, values[2] ?? null, values[0] ?? null]),
      ]}
      onPick={({ seriesIndex, dataIndex }) => {
        const picked = seriesIndex === 1 ? points[dataIndex ?? -1] : undefined;
        if (picked) go(to(["experiments", experiment.id, "trials", picked.id]));
      }}
    />
  );
}

function contourOption(
  palette: Palette,
  points: readonly TableRow[],
  [metric, x, y]: readonly [string, string, string],
  [isLogX, isLogY]: readonly [boolean, boolean],
): EChartsOption {
  const scale = (place: number, isLog: boolean): { low: number; high: number; at: (value: number) => number } => {
    const values = points.map((row) => row.values[place] as number);
    const [low, high] = [Math.min(...values), Math.max(...values)];
    const map = (value: number): number => (isLog ? Math.log(value) : value);
    return { low, high, at: (value) => (map(value) - map(low)) / (map(high) - map(low) || 1) };
  };
  const [across, up] = [
    scale(1, isLogX && points.every((row) => (row.values[1] as number) > 0)),
    scale(2, isLogY && points.every((row) => (row.values[2] as number) > 0)),
  ];
  const samples = points.map(({ values }): Sample => ({
    x: across.at(values[1] as number),
    y: up.at(values[2] as number),
    value: values[0] as number,
  }));
  const metrics = samples.map(({ value }) => value);
  const places = Array.from({ length: cells }, (_, index) => String(index));
  const hidden = { type: "category" as const, data: places, show: false };
  return {
    grid: { ...grid, right: 110 },
    xAxis: [
      xAxis(palette, { name: x, type: isLogX ? "log" : "value", min: across.low, max: across.high, show: number }),
      { ...hidden },
    ],
    yAxis: [
      yAxis(palette, { name: y, type: isLogY ? "log" : "value", min: up.low, max: up.high, show: number }),
      { ...hidden },
    ],
    tooltip: itemTooltip(palette, ({ seriesIndex, dataIndex }) => {
      if (seriesIndex !== 1) return "";
      const row = points[dataIndex];
      return tooltipContent(`Trial ${row?.sequence}`, [
        [x, number(row?.values[1])],
        [y, number(row?.values[2])],
        [metric, number(row?.values[0])],
      ]);
    }),
    visualMap: {
      type: "continuous",
      min: Math.min(...metrics),
      max: Math.max(...metrics),
      dimension: 2,
      inRange: { color: [...palette.scale] },
      right: 6,
      top: "middle",
      text: [number(Math.max(...metrics)), number(Math.min(...metrics))],
      textStyle: { color: palette.soft },
      formatter: ((value: number) => number(value)) as never,
    },
    series: [
      {
        type: "heatmap",
        xAxisIndex: 1,
        yAxisIndex: 1,
        data: field(samples, cells),
        silent: true,
        progressive: 0,
        emphasis: { disabled: true },
      },
      {
        type: "scatter",
        data: points.map(({ values }) => [values[1] as number, values[2] as number, values[0] as number]),
        symbolSize: 8,
        itemStyle: { borderColor: "#ffffff", borderWidth: 1.2 },
        z: 5,
      },
    ],
  };
}
