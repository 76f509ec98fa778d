// The front as ECharts draws it: points behind it, the front, the original, the one that is chosen, and what is not allowed.
import { grid, xAxis, yAxis } from "../../charts/axes";
import type { EChartsOption } from "../../charts/echarts";
import type { Palette } from "../../charts/palette";
import { itemTooltip, tooltipContent } from "../../charts/tooltip";
import type { Constraint, Objective } from "./objectives";
import type { FrontData, Point } from "./pareto";

/** What the chart keeps of a point: its values, its number, and last its id. */
type Datum = (number | string)[];

const datum = ({ values, sequence, id }: Point): Datum => [...values, sequence, id];

/** What a constraint excludes on one of the axes. */
export interface Excluded {
  readonly axis: "xAxis" | "yAxis";
  /** Where the axis begins, so that the limit is on it. */
  readonly from: number;
  readonly to: number;
}

/** An axis is not stretched to more than this many times the points' own range, to show a limit that is far from them. */
const mostStretch = 6;

/** The part of the plot that a constraint excludes; null when neither axis shows its measure, or the limit is far away. */
export function excludedArea(
  constraint: Constraint,
  objectives: readonly Objective[],
  points: readonly (readonly (number | null)[])[],
): Excluded | null {
  const place = objectives.slice(0, 2).findIndex(({ column }) => column === constraint.column);
  const values = points.flatMap((point) => point[place] ?? []);
  if (place < 0 || values.length === 0) return null;
  const [low, high] = [Math.min(...values), Math.max(...values)];
  const range = high - low;
  const begin = Math.min(low, constraint.least);
  if (range > 0 && high - begin > mostStretch * range) return null;
  const from = begin - 0.06 * (high - begin || Math.abs(high) || 1);
  return { axis: place === 0 ? "xAxis" : "yAxis", from, to: constraint.least };
}

export function frontOption(
  palette: Palette,
  data: FrontData,
  objectives: readonly Objective[],
  constraint: Constraint | null,
  chosen: string,
): EChartsOption {
  const [across, up, third] = objectives;
  if (!across || !up) return {};
  const { front, others, baseline } = data;
  const isKnown = baseline !== null && baseline[0] != null && baseline[1] != null;
  const original: Datum[] = isKnown ? [[...baseline.map((value) => value ?? 0), -1, ""]] : [];
  const picked = [...front, ...others].filter(({ id }) => id === chosen).map(datum);
  const values = [...front, ...others].map((point) => point.values);
  const area = constraint ? excludedArea(constraint, objectives, baseline ? [...values, baseline] : values) : null;
  const begin = (axis: Excluded["axis"]): { min?: number } => (area?.axis === axis ? { min: area.from } : {});
  const thirds = third ? [...front, ...others].map(({ values }) => values[2] ?? 0) : [];
  return {
    grid: { ...grid, top: 38, right: third ? 110 : 24 },
    legend: { top: 0, textStyle: { color: palette.soft }, data: ["Pareto front", "Behind it", "Original"] },
    xAxis: xAxis(palette, { name: across.measure.title, show: across.measure.show, ...begin("xAxis") }),
    yAxis: yAxis(palette, { name: up.measure.title, show: up.measure.show, ...begin("yAxis") }),
    tooltip: itemTooltip(palette, ({ data: point }) => {
      const values = point as Datum;
      const sequence = values[objectives.length] as number;
      return tooltipContent(
        sequence < 0 ? "Original" : `Trial ${sequence}`,
        objectives.map(({ measure }, index) => [measure.title, measure.show(values[index])] as const),
      );
    }),
    ...(third
      ? {
          visualMap: {
            type: "continuous" as const,
            dimension: 2,
            seriesIndex: [0, 1],
            min: Math.min(...thirds),
            max: Math.max(...thirds),
            inRange: { color: [...palette.lineScale] },
            right: 4,
            top: "middle",
            text: [
              `${third.measure.title} ${third.measure.show(Math.max(...thirds))}`,
              third.measure.show(Math.min(...thirds)),
            ] as [string, string],
            textStyle: { color: palette.soft },
            formatter: ((value: number) => third.measure.show(value)) as never,
          },
        }
      : {}),
    series: [
      {
        type: "scatter",
        name: "Behind it",
        data: others.map(datum),
        symbolSize: others.length > 500 ? 4 : 7,
        itemStyle: { color: palette.faint, opacity: 0.65 },
        ...(area
          ? {
              markArea: {
                silent: true,
                itemStyle: { color: palette.shade },
                label: { show: true, position: "insideBottomLeft", color: palette.bad, fontSize: 11 },
                data: [[{ [area.axis]: area.from, name: "too much accuracy lost" }, { [area.axis]: area.to }]] as never,
              },
            }
          : {}),
      },
      {
        type: third ? "scatter" : "line",
        name: "Pareto front",
        data: front.map(datum),
        ...(third
          ? {}
          : {
              step: up.measure.goal === "maximize" ? ("end" as const) : ("start" as const),
              lineStyle: { color: palette.accent, width: 1.5 },
            }),
        symbol: "circle",
        showSymbol: true,
        symbolSize: 10,
        itemStyle: { color: palette.accent, borderColor: palette.card, borderWidth: 1 },
        z: 4,
      } as never,
      {
        type: "scatter",
        name: "Original",
        data: original,
        symbol: "diamond",
        symbolSize: 15,
        itemStyle: { color: palette.bad, borderColor: palette.card, borderWidth: 1 },
        label: { show: true, formatter: "original", position: "left", color: palette.ink },
        z: 5,
      },
      {
        type: "scatter",
        name: "Chosen",
        data: picked,
        symbol: "circle",
        symbolSize: 18,
        silent: true,
        itemStyle: { color: "transparent", borderColor: palette.ink, borderWidth: 2 },
        z: 6,
      },
    ],
  };
}
