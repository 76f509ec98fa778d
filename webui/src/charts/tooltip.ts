import type { EChartsOption } from "./echarts";
import type { Palette } from "./palette";
import { shorten, visible } from "../format/text";

/**
 * A tooltip as elements, never as markup: the names in it come from experiments. ECharts' own would also have style attributes,
 * which the daemon's Content-Security-Policy forbids.
 */
export function tooltipContent(title: string, rows: readonly (readonly [string, string])[]): HTMLElement {
  const box = document.createElement("div");
  const heading = document.createElement("strong");
  heading.textContent = shorten(visible(title), 120);
  const table = document.createElement("dl");
  table.className = "tooltip-rows";
  for (const [name, value] of rows) {
    const term = document.createElement("dt");
    const definition = document.createElement("dd");
    term.textContent = shorten(visible(name), 60);
    definition.textContent = shorten(visible(value), 120);
    table.append(term, definition);
  }
  box.append(heading, table);
  return box;
}

type Formatter = (parameters: {
  seriesIndex: number;
  dataIndex: number;
  data: unknown;
  seriesName?: string;
}) => HTMLElement | string;

/** Tooltip of single points, drawn by `content`. */
export const itemTooltip = (palette: Palette, content: Formatter): NonNullable<EChartsOption["tooltip"]> => ({
  trigger: "item",
  appendTo: "body",
  className: "chart-tooltip",
  backgroundColor: palette.card,
  borderColor: palette.line,
  textStyle: { color: palette.ink, fontSize: 12 },
  formatter: content as never,
});
