import { ScatterChart } from "echarts/charts";
import { VisualMapComponent } from "echarts/components";
import { useMemo, type ReactNode } from "react";
import type { Column } from "../../api/analysis";
import { objectiveOf } from "../../api/objective";
import { go, to } from "../../app/router";
import { grid, xAxis, yAxis } from "../../charts/axes";
import { Chart } from "../../charts/chart";
import { use, type EChartsOption } from "../../charts/echarts";
import type { Palette } from "../../charts/palette";
import { itemTooltip, tooltipContent } from "../../charts/tooltip";
import { showCell } from "../../format/measures";
import { number } from "../../format/number";
import { plural } from "../../format/text";
import { useExperiment } from "../experiment/context";
import { tableTitle } from "../trials/trial_table_columns";
import type { TableRow } from "./table_data";

use([ScatterChart, VisualMapComponent]);

interface Props {
  column: Column;
  metric: string;
  /** The metric is the first of their values. */
  rows: readonly TableRow[];
  /** Of the parameter among the values. */
  place: number;
}

/** The metric against one parameter. */
export function ScatterCard({ column, metric, rows, place }: Props): ReactNode {
  const { experiment } = useExperiment();
  const objective = objectiveOf(experiment).name;
  const points = useMemo(
    () => rows.filter((row) => row.values[place] !== null && row.values[0] !== null),
    [rows, place],
  );
  const option = useMemo(
    () => (palette: Palette) => sliceOption(palette, points, place, column, tableTitle(metric, objective)),
    [points, place, column, metric, objective],
  );
  const title = tableTitle(column.name);
  return (
    <Chart
      title={title}
      summary={`${plural(points.length, "trial")}: ${tableTitle(metric, objective)} against ${title}.`}
      height="15rem"
      option={option}
      csv={() => [
        ["sequence", column.name, metric],
        ...points.map((row) => [row.sequence, row.values[place] ?? null, row.values[0] ?? null]),
      ]}
      onPick={({ dataIndex }) => {
        const picked = points[dataIndex ?? -1];
        if (picked) go(to(["experiments", experiment.id, "trials", picked.id]));
      }}
    />
  );
}

function sliceOption(
  palette: Palette,
  points: readonly TableRow[],
  place: number,
  column: Column,
  metric: string,
): EChartsOption {
  const isText = column.type !== "number";
  const categories = isText ? [...new Set(points.map((row) => String(row.values[place])))].sort() : undefined;
  const sequences = points.map(({ sequence }) => sequence);
  return {
    grid: { ...grid, left: 70, right: 14, bottom: 44 },
    xAxis: xAxis(palette, {
      name: tableTitle(column.name),
      type: isText ? "category" : column.log ? "log" : "value",
      ...(categories ? { categories } : { show: number }),
    }),
    yAxis: yAxis(palette, { name: metric, show: number }),
    tooltip: itemTooltip(palette, ({ dataIndex }) => {
      const row = points[dataIndex];
      return tooltipContent(`Trial ${row?.sequence}`, [
        [tableTitle(column.name), showCell(column.name, row?.values[place])],
        [metric, number(row?.values[0])],
      ]);
    }),
    visualMap: {
      show: false,
      dimension: 2,
      min: Math.min(...sequences),
      max: Math.max(...sequences),
      inRange: { color: [...palette.lineScale] },
    },
    series: [
      {
        type: "scatter",
        symbolSize: points.length > 500 ? 4 : 7,
        itemStyle: { opacity: 0.8, borderColor: palette.line, borderWidth: 0.5 },
        data: points.map((row) => [String(row.values[place]), row.values[0] as number, row.sequence]),
      },
    ],
  };
}
