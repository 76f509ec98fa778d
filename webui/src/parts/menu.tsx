import { useEffect, useId, useLayoutEffect, useRef, useState, type KeyboardEvent, type ReactNode } from "react";

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
  const [isOpen, setOpen] = useState(false);
  const root = useRef<HTMLDivElement>(null);
  const id = useId();

  useLayoutEffect(() => {
    const list = root.current?.querySelector<HTMLElement>("[role=menu]");
    const button = root.current?.querySelector("button");
    if (isOpen && list && button) place(list, button.getBoundingClientRect());
  }, [isOpen]);

  useEffect(() => {
    if (!isOpen) return;
    root.current?.querySelector<HTMLElement>("[role=menuitem]:not(:disabled)")?.focus();
    const away = (event: Event): void => {
      if (!root.current?.contains(event.target as Node)) setOpen(false);
    };
    const shut = (): void => setOpen(false);
    document.addEventListener("pointerdown", away);
    // The list stays where it was opened, its button may be scrolled away.
    window.addEventListener("scroll", shut, true);
    window.addEventListener("resize", shut);
    return () => {
      document.removeEventListener("pointerdown", away);
      window.removeEventListener("scroll", shut, true);
      window.removeEventListener("resize", shut);
    };
  }, [isOpen]);

  const close = (): void => {
    setOpen(false);
    root.current?.querySelector<HTMLElement>("button")?.focus();
  };
  const press = (event: KeyboardEvent): void => {
    if (event.key === "Escape") close();
    if (event.key !== "ArrowDown" && event.key !== "ArrowUp") return;
    event.preventDefault();
    const entries = [...(root.current?.querySelectorAll<HTMLElement>("[role=menuitem]:not(:disabled)") ?? [])];
    const at = entries.indexOf(document.activeElement as HTMLElement);
    entries[(at + (event.key === "ArrowDown" ? 1 : entries.length - 1)) % entries.length]?.focus();
  };

  return (
    <div className="menu" ref={root} onKeyDown={isOpen ? press : undefined}>
      <button
        className={symbol ? "icon" : undefined}
        aria-haspopup="menu"
        aria-expanded={isOpen}
        aria-controls={isOpen ? id : undefined}
        aria-label={symbol ? label : undefined}
        title={symbol ? label : undefined}
        onClick={() => setOpen(!isOpen)}
      >
        {symbol ?? `${label} ▾`}
      </button>
      {isOpen && (
        <div className="menu-list" role="menu" id={id} popover="manual">
          {items.map(({ title, run, isDisabled = false, isDangerous = false, hint }) => (
            <button
              key={title}
              role="menuitem"
              className={isDangerous ? "danger" : undefined}
              disabled={isDisabled}
              title={hint}
              onClick={() => {
                close();
                run();
              }}
            >
              {title}
            </button>
          ))}
        </div>
      )}
    </div>
  );
}
