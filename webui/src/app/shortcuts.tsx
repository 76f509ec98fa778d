// Keys for those who stay all day. None of them is the only way to anything.
import { useEffect, useState, type ReactNode } from "react";
import { Dialog } from "../parts/dialog";
import { go, parsePlace, to } from "./router";

interface Shortcut {
  readonly keys: string;
  readonly what: string;
  readonly run: () => void;
}

const experimentTabs = { o: "overview", t: "trials", c: "charts", m: "compression" } as const;

function openTab(name: string): void {
  const { path } = parsePlace(location.hash);
  if (path[0] === "experiments" && path[1]) go(to(["experiments", path[1], ...(name === "overview" ? [] : [name])]));
}

const shortcuts: readonly Shortcut[] = [
  { keys: "g e", what: "Experiments", run: () => go(to([])) },
  { keys: "g h", what: "Hosts", run: () => go(to(["hosts"])) },
  { keys: "g n", what: "New experiment", run: () => go(to(["new"])) },
  ...Object.entries(experimentTabs).map(([key, name]) => ({
    keys: `g ${key}`,
    what: `${name.charAt(0).toUpperCase()}${name.slice(1)} of this experiment`,
    run: () => openTab(name),
  })),
  { keys: "/", what: "Search or filter", run: () => document.querySelector<HTMLElement>("[data-search]")?.focus() },
];

const isTyping = (target: EventTarget | null): boolean =>
  target instanceof HTMLElement && (target.isContentEditable || /^(INPUT|TEXTAREA|SELECT)$/.test(target.tagName));

export function ShortcutHelp(): ReactNode {
  const [isOpen, setOpen] = useState(false);
  useEffect(() => {
    let before = "";
    const press = (event: KeyboardEvent): void => {
      if (event.ctrlKey || event.metaKey || event.altKey || isTyping(event.composedPath()[0] ?? null)) return;
      if (event.key === "?") setOpen(true);
      const found = shortcuts.find(({ keys }) => keys === event.key || keys === `${before} ${event.key}`);
      before = event.key;
      if (!found) return;
      event.preventDefault();
      found.run();
    };
    document.addEventListener("keydown", press);
    return () => document.removeEventListener("keydown", press);
  }, []);
  if (!isOpen) return null;
  return (
    <Dialog title="Keys" close={() => setOpen(false)}>
      <dl className="keys">
        {[
          ...shortcuts,
          { keys: "↑ ↓ Enter Space", what: "In a table: move, open, select" },
          { keys: "?", what: "This list" },
        ].map(({ keys, what }) => (
          <div key={keys}>
            <dt>
              {keys.split(" ").map((key) => (
                <kbd key={key}>{key}</kbd>
              ))}
            </dt>
            <dd>{what}</dd>
          </div>
        ))}
      </dl>
    </Dialog>
  );
}
