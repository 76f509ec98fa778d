import { toneOf } from "../parts/status";
import type { Palette } from "./palette";

/** A trial's status as a colour that is told from the others by its lightness too. */
export function statusColour(palette: Palette, status: string): string {
  const tone = toneOf(status);
  if (tone === "good") return palette.good;
  if (tone === "bad") return palette.bad;
  if (tone === "busy") return palette.accent;
  return palette.faint;
}
