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

/** The part of the plot that a constraint excludes, as an ECharts area; null when neither axis shows its measure. */
export function excludedArea(constraint: Constraint, objectives: readonly Objective[]): [object, object] | null {
  const place = objectives.slice(0, 2).findIndex(({ column }) => column === constraint.column);
  if (place === 0) return [{ xAxis: "min" }, { xAxis: constraint.least }];
  if (place === 1) return [{ yAxis: "min" }, { yAxis: constraint.least }];
  return null;
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
  const area = constraint ? excludedArea(constraint, objectives) : null;
  const thirds = third ? [...front, ...others].map(({ values }) => values[2] ?? 0) : [];
  return {
    grid: { ...grid, top: 38, right: third ? 110 : 24 },
    legend: { top: 0, textStyle: { color: palette.soft }, data: ["Pareto front", "Behind it", "Original"] },
    xAxis: xAxis(palette, { name: across.measure.title, show: across.measure.show }),
    yAxis: yAxis(palette, { name: up.measure.title, show: up.measure.show }),
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
            inRange: { color: [...palette.scale] },
            right: 4,
            top: "middle",
            text: [third.measure.title, ""] as [string, string],
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
                data: [[{ ...area[0], name: "too much accuracy lost" }, area[1]]] as never,
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
