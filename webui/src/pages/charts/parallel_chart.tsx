import { ParallelChart as ParallelSeries } from "echarts/charts";
import { ParallelComponent, VisualMapComponent } from "echarts/components";
import { useCallback, useMemo, useState, type ReactNode } from "react";
import type { Column } from "../../api/analysis";
import { objectiveOf } from "../../api/objective";
import type { Cell } from "../../api/trial_columns";
import { to } from "../../app/router";
import { Chart } from "../../charts/chart";
import { use, type EChartsOption, type EChartsType } from "../../charts/echarts";
import type { Palette } from "../../charts/palette";
import { number } from "../../format/number";
import { plural, shorten, visible } from "../../format/text";
import { useExperiment } from "../experiment/context";
import { filterName, filterValue } from "../trials/filter_text";
import { shortTitles } from "../trials/trial_table_columns";
import type { AxisGroup } from "./axis_groups";
import { brushFilter, isBrushed, type Axis, type Brushes } from "./brush";
import type { TableRow } from "./table_data";

use([ParallelSeries, ParallelComponent, VisualMapComponent]);

interface Props {
  group: AxisGroup;
  columns: readonly string[];
  known: readonly Column[];
  metric: string;
  metricOf: (row: TableRow) => Cell;
}

/** The axes of a group's columns and of the metric, which is behind them all. */
function axesOf({ group, columns, metric }: Props): Axis[] {
  const own = group.columns.map((place): Axis => {
    const values = group.rows.map((row) => row.values[place]);
    const isText = values.some((value) => typeof value === "string" || typeof value === "boolean");
    const categories = isText ? [...new Set(values.filter((value) => value !== null).map(String))].sort() : null;
    return { column: columns[place] ?? "", place, categories };
  });
  return [...own, { column: metric, place: -1, categories: null }];
}

export function ParallelChart(props: Props): ReactNode {
  const { group, metricOf, known } = props;
  const { experiment } = useExperiment();
  const objective = objectiveOf(experiment).name;
  const [brushes, setBrushes] = useState<Brushes>(new Map());
  const axes = useMemo(() => axesOf(props), [props]);
  // The metric becomes the last value of each row, as its axis is the last.
  const rows = useMemo(
    () => group.rows.map((row) => ({ ...row, values: [...row.values, metricOf(row)] })),
    [group, metricOf],
  );
  const placed = useMemo(
    () => axes.map((axis) => (axis.place < 0 ? { ...axis, place: group.rows[0]?.values.length ?? 0 } : axis)),
    [axes, group],
  );
  const names = useMemo(() => placed.map(({ column }) => column), [placed]);
  const option = useMemo(
    () => (palette: Palette) => parallelOption(palette, placed, rows, known, shortTitles(names, objective)),
    [placed, rows, known, names, objective],
  );
  const listen = useCallback((chart: EChartsType): void => {
    chart.on("axisareaselected", (event) => {
      const { parallelAxisId, intervals } = event as { parallelAxisId?: string; intervals?: [number, number][] };
      if (parallelAxisId === undefined) return;
      setBrushes((before) => new Map([...before, [parallelAxisId, intervals ?? []]]));
    });
  }, []);
  const brushed = rows.filter((row) => isBrushed(row, placed, brushes));
  const brushFilterText = brushFilter(placed, brushes);
  const choices = group.choices.map(([column, value]) => `${filterName(column)} = ${filterValue(value)}`);
  const filter = brushFilterText && [brushFilterText, ...choices].join(" and ");
  return (
    <Chart
      title={group.title || "All parameters"}
      summary={`Parallel coordinates of ${plural(rows.length, "trial")} on ${names.length} axes.`}
      height="20rem"
      shape={names.join("\n")}
      option={option}
      onReady={listen}
      csv={() => [
        ["sequence", "id", ...names],
        ...brushed.map((row) => [row.sequence, row.id, ...placed.map(({ place }) => row.values[place] ?? null)]),
      ]}
      controls={
        <span className="soft">
          {filter ? (
            <a href={to(["experiments", experiment.id, "trials"], { filter })}>
              {plural(brushed.length, "brushed trial")}
            </a>
          ) : (
            plural(rows.length, "trial")
          )}
        </span>
      }
    />
  );
}

function parallelOption(
  palette: Palette,
  axes: readonly Axis[],
  rows: readonly TableRow[],
  known: readonly Column[],
  titles: readonly string[],
): EChartsOption {
  const last = axes.at(-1)?.place ?? 0;
  const metrics = rows.map((row) => row.values[last]).filter((value): value is number => typeof value === "number");
  const isLog = (column: string): boolean => known.find(({ name }) => name === column)?.log ?? false;
  return {
    parallel: { left: 60, right: 90, top: 46, bottom: 22, axisExpandable: axes.length > 14, axisExpandCount: 8 },
    parallelAxis: axes.map(({ column, categories }, dim) => ({
      id: column,
      dim,
      name: shorten(visible(titles[dim] ?? column), 22),
      nameRotate: axes.length > 8 ? 18 : 0,
      nameTextStyle: { color: palette.ink, fontSize: 11, align: "left" as const },
      type: categories ? ("category" as const) : isLog(column) ? ("log" as const) : ("value" as const),
      ...(categories ? { data: categories.map((name) => shorten(visible(name), 24)) } : { scale: true }),
      axisLine: { lineStyle: { color: palette.soft } },
      axisTick: { lineStyle: { color: palette.line } },
      axisLabel: { color: palette.soft, ...(categories ? {} : { formatter: (value: number) => number(value) }) },
      areaSelectStyle: { color: palette.accent, borderColor: palette.accent, opacity: 0.25 },
    })) as never,
    visualMap: {
      show: true,
      dimension: axes.length - 1,
      min: Math.min(...metrics),
      max: Math.max(...metrics),
      inRange: { color: [...palette.lineScale] },
      right: 4,
      top: "middle",
      itemHeight: 110,
      itemWidth: 12,
      precision: 4,
      textStyle: { color: palette.soft },
      formatter: ((value: number) => number(value)) as never,
    },
    series: [
      {
        type: "parallel",
        lineStyle: { width: 1.2, opacity: rows.length > 300 ? 0.35 : 0.65 },
        inactiveOpacity: 0.04,
        activeOpacity: 0.9,
        progressive: 500,
        data: rows.map((row) =>
          axes.map(({ place, categories }) => {
            const value = row.values[place] ?? null;
            if (value === null) return "-";
            return categories ? categories.indexOf(String(value)) : (value as number);
          }),
        ),
      },
    ],
  };
}
