// Axes as all charts have them.
import type { Palette } from "./palette";
import { shorten, visible } from "../format/text";

interface AxisOptions {
  name: string;
  type?: "value" | "log" | "category" | "time";
  show?: (value: number) => string;
  categories?: readonly string[];
  /** Whether the axis need not begin at 0. */
  isFree?: boolean;
  min?: number;
  max?: number;
  isInverse?: boolean;
}

function axis(palette: Palette, options: AxisOptions, gap: number): object {
  const { name, type = "value", show, categories, isFree = true, min, max, isInverse = false } = options;
  return {
    type,
    name: shorten(visible(name), 60),
    nameLocation: "middle",
    nameGap: gap,
    nameTextStyle: { color: palette.soft },
    inverse: isInverse,
    scale: isFree,
    ...(min === undefined ? {} : { min }),
    ...(max === undefined ? {} : { max }),
    axisLine: { lineStyle: { color: palette.line } },
    axisTick: { lineStyle: { color: palette.line } },
    splitLine: { lineStyle: { color: palette.line, type: "dashed" } },
    axisLabel: {
      color: palette.soft,
      hideOverlap: true,
      ...(type === "category" ? { formatter: (text: string) => shorten(visible(String(text)), 18) } : {}),
      // ECharts hands on an index too, which a format may take for something else.
      ...(show ? { formatter: (value: number) => show(value).replace(/\.00(?= %)/, "") } : {}),
    },
    ...(categories ? { data: categories } : {}),
  };
}

export const xAxis = (palette: Palette, options: AxisOptions): object => axis(palette, options, 28);
export const yAxis = (palette: Palette, options: AxisOptions): object => axis(palette, options, 58);

export const grid = { left: 78, right: 24, top: 18, bottom: 48 };
