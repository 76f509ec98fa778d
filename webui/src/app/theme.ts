// Dark or light: as the system is, unless chosen.
import { Store, useStore } from "../api/store";

export type Theme = "light" | "dark";
export type ThemeChoice = Theme | "auto";

const place = "lathe-theme";
const system = window.matchMedia("(prefers-color-scheme: dark)");

function storedChoice(): ThemeChoice {
  const stored = localStorage.getItem(place);
  return stored === "light" || stored === "dark" ? stored : "auto";
}

const choice = new Store<ThemeChoice>(storedChoice());
const theme = new Store<Theme>("light");

function apply(): void {
  const chosen = choice.get();
  theme.set(chosen === "auto" ? (system.matches ? "dark" : "light") : chosen);
  document.documentElement.dataset["theme"] = theme.get();
}

export function chooseTheme(next: ThemeChoice): void {
  choice.set(next);
  if (next === "auto") localStorage.removeItem(place);
  else localStorage.setItem(place, next);
}

system.addEventListener("change", apply);
choice.subscribe(apply);
apply();

export const useTheme = (): Theme => useStore(theme);
export const useThemeChoice = (): ThemeChoice => useStore(choice);
