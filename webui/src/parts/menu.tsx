import { useLayoutEffect, useRef, useState, type KeyboardEvent, type ReactNode } from "react";

export interface MenuItem {
  readonly title: string;
  readonly run: () => void;
  readonly isDisabled?: boolean;
  readonly isDangerous?: boolean;
  readonly hint?: string;
}

interface Props {
  label: string;
  items: readonly MenuItem[];
  /** Shown on the button instead of the label. */
  symbol?: string;
}

/** In the top layer, where no scrolled box cuts it off, below its button or above where there is more room. */
function place(list: HTMLElement, button: DOMRect): void {
  list.showPopover();
  const { width, height } = list.getBoundingClientRect();
  const isBelow = button.bottom + height < window.innerHeight || button.top < height;
  list.style.top = `${isBelow ? button.bottom + 3 : button.top - height - 3}px`;
  list.style.left = `${Math.max(4, Math.min(button.right - width, window.innerWidth - width - 4))}px`;
}

/** A button that opens a list of actions: arrows move, Escape closes, as the ARIA menu button pattern says. */
export function Menu({ label, items, symbol }: Props): ReactNode {
  // A table has one of these in every row: what an open list needs comes with the list.
  const [isOpen, setOpen] = useState(false);
  return (
    <div className="menu">
      <button
        className={symbol ? "icon" : undefined}
        aria-haspopup="menu"
        aria-expanded={isOpen}
        aria-label={symbol ? label : undefined}
        title={symbol ? label : undefined}
        onClick={() => setOpen(!isOpen)}
      >
        {symbol ?? `${label} ▾`}
      </button>
      {isOpen && <MenuList items={items} close={() => setOpen(false)} />}
    </div>
  );
}

function MenuList({ items, close }: { items: readonly MenuItem[]; close: () => void }): ReactNode {
  const list = useRef<HTMLDivElement>(null);
  const shut = useRef(close);
  shut.current = close;
  const button = (): HTMLButtonElement | null => list.current?.parentElement?.querySelector("button") ?? null;
  const entries = (): HTMLElement[] => [
    ...(list.current?.querySelectorAll<HTMLElement>("button:not(:disabled)") ?? []),
  ];

  useLayoutEffect(() => {
    const opener = button();
    if (list.current && opener) place(list.current, opener.getBoundingClientRect());
    entries()[0]?.focus();
    const away = (event: Event): void => {
      if (!list.current?.parentElement?.contains(event.target as Node)) shut.current();
    };
    // The list stays where it was opened, its button may be scrolled away.
    const leave = (): void => shut.current();
    document.addEventListener("pointerdown", away);
    window.addEventListener("scroll", leave, true);
    window.addEventListener("resize", leave);
    return () => {
      document.removeEventListener("pointerdown", away);
      window.removeEventListener("scroll", leave, true);
      window.removeEventListener("resize", leave);
    };
  }, []);

  const closeAndReturn = (): void => {
    button()?.focus();
    close();
  };
  const press = (event: KeyboardEvent): void => {
    if (event.key === "Escape" || event.key === "Tab") closeAndReturn();
    if (event.key !== "ArrowDown" && event.key !== "ArrowUp") return;
    event.preventDefault();
    const all = entries();
    const at = all.indexOf(document.activeElement as HTMLElement);
    all[(at + (event.key === "ArrowDown" ? 1 : all.length - 1)) % all.length]?.focus();
  };

  return (
    <div className="menu-list" role="menu" ref={list} popover="manual" onKeyDown={press}>
      {items.map(({ title, run, isDisabled = false, isDangerous = false, hint }) => (
        <button
          key={title}
          role="menuitem"
          className={isDangerous ? "danger" : undefined}
          disabled={isDisabled}
          title={hint}
          onClick={() => {
            closeAndReturn();
            run();
          }}
        >
          {title}
        </button>
      ))}
    </div>
  );
}
