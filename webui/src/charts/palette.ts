// Colours of charts. The categorical ones are Okabe and Ito's, which the common kinds of colour blindness tell apart; the
// sequential ones are cividis, which looks the same to them. Dark themes get lighter variants of the same hues.
import type { Theme } from "../app/theme";

export interface Palette {
  readonly categories: readonly string[];
  /** From low to high, for areas. */
  readonly scale: readonly string[];
  /** The same for lines and points, without the end that is too near to the background. */
  readonly lineScale: readonly string[];
  readonly ink: string;
  readonly soft: string;
  readonly line: string;
  readonly card: string;
  readonly accent: string;
  readonly good: string;
  readonly bad: string;
  /** Points that are there for context. */
  readonly faint: string;
  /** What a constraint excludes. */
  readonly shade: string;
}

const cividis = ["#00204d", "#31446b", "#666970", "#958f78", "#cab969", "#ffea46"] as const;

const palettes: Readonly<Record<Theme, Palette>> = {
  light: {
    categories: ["#0072b2", "#d55e00", "#009e73", "#b8579a", "#a97500", "#2f8fc4", "#5b6670", "#6a3d9a"],
    scale: cividis,
    lineScale: ["#00204d", "#31446b", "#666970", "#958f78", "#c9a52f"],
    ink: "#1b2126",
    soft: "#56616b",
    line: "#dde1e5",
    card: "#ffffff",
    accent: "#0072b2",
    good: "#00785a",
    bad: "#d55e00",
    faint: "#8fa3b3",
    shade: "rgba(213, 94, 0, 0.08)",
  },
  dark: {
    categories: ["#56b4e9", "#ff8c42", "#2fcf9f", "#e39cc8", "#f0c04a", "#8fd0f5", "#a9b4be", "#b79be0"],
    scale: cividis,
    lineScale: ["#5b86d6", "#838b96", "#a79f7f", "#d0bb5a", "#ffea46"],
    ink: "#e4e8eb",
    soft: "#9ca8b3",
    line: "#2f363d",
    card: "#1b2025",
    accent: "#56b4e9",
    good: "#2fcf9f",
    bad: "#ff8c42",
    faint: "#5f7383",
    shade: "rgba(255, 140, 66, 0.10)",
  },
};

export const paletteOf = (theme: Theme): Palette => palettes[theme];

export const category = (palette: Palette, index: number): string =>
  palette.categories[index % palette.categories.length] ?? palette.accent;
