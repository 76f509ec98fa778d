import { useEffect, useId, useRef, type ReactNode } from "react";

interface Props {
  title: string;
  children: ReactNode;
  /** Called when the dialog is dismissed; without it, it stays. */
  close?: () => void;
  mustAnswer?: boolean;
  isWide?: boolean;
}

/** A modal dialog: the browser's own, which keeps the focus inside and gives it back. Mounted means open. */
export function Dialog({ title, children, close, mustAnswer = false, isWide = false }: Props): ReactNode {
  const element = useRef<HTMLDialogElement>(null);
  const id = useId();
  useEffect(() => {
    const dialog = element.current;
    dialog?.showModal();
    return () => dialog?.close();
  }, []);
  return (
    <dialog
      ref={element}
      className={isWide ? "wide" : undefined}
      aria-labelledby={id}
      onCancel={(event) => {
        event.preventDefault();
        if (!mustAnswer) close?.();
      }}
      onKeyDown={(event) => mustAnswer && event.key === "Escape" && event.preventDefault()}
    >
      <div className="dialog-head">
        <h2 id={id}>{title}</h2>
        {close && (
          <button className="icon" aria-label="Close" onClick={close}>
            ✕
          </button>
        )}
      </div>
      {children}
    </dialog>
  );
}

interface ConfirmProps {
  title: string;
  children: ReactNode;
  action: string;
  isDangerous?: boolean;
  run: () => void;
  close: () => void;
}

export function Confirm({ title, children, action, isDangerous = false, run, close }: ConfirmProps): ReactNode {
  return (
    <Dialog title={title} close={close}>
      <div>{children}</div>
      <div className="actions">
        <button onClick={close}>Cancel</button>
        <button
          className={isDangerous ? "danger" : "primary"}
          onClick={() => {
            close();
            run();
          }}
        >
          {action}
        </button>
      </div>
    </Dialog>
  );
}
