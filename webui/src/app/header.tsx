import type { ReactNode } from "react";
import { connection } from "../api/event_stream";
import { useStore } from "../api/store";
import { to, type Place } from "./router";
import { chooseTheme, useThemeChoice, type ThemeChoice } from "./theme";

const connectionTexts = {
  none: "",
  connecting: "connecting",
  live: "live",
  broken: "reconnecting",
  paused: "paused",
} as const;

function Live(): ReactNode {
  const state = useStore(connection);
  return (
    <span className={`live live-${state}`} role="status">
      {connectionTexts[state]}
    </span>
  );
}

const nextTheme: Record<ThemeChoice, ThemeChoice> = { auto: "light", light: "dark", dark: "auto" };
const themeSymbols: Record<ThemeChoice, string> = { auto: "◐", light: "☀", dark: "☾" };

function ThemeButton(): ReactNode {
  const choice = useThemeChoice();
  const title = `Colours: ${choice === "auto" ? "as the system" : choice}. Press for ${nextTheme[choice]}.`;
  return (
    <button className="icon" title={title} aria-label={title} onClick={() => chooseTheme(nextTheme[choice])}>
      {themeSymbols[choice]}
    </button>
  );
}

export function Header({ place }: { place: Place }): ReactNode {
  const section = place.path[0] ?? "experiments";
  const link = (name: string, title: string, address: string): ReactNode => (
    <a href={address} aria-current={section === name ? "page" : undefined}>
      {title}
    </a>
  );
  return (
    <header className="bar">
      <a className="brand" href={to([])}>
        <img src="./icon.svg" alt="" width="20" height="20" />
        Lathe
      </a>
      <nav aria-label="Main">
        {link("experiments", "Experiments", to([]))}
        {link("hosts", "Hosts", to(["hosts"]))}
        {link("new", "New", to(["new"]))}
      </nav>
      <Live />
      <ThemeButton />
    </header>
  );
}
