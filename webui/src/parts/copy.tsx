import { useState, type ReactNode } from "react";
import { tell } from "./toast";

/** The clipboard API is there only over HTTPS and on loopback; elsewhere a selection is copied. */
async function copyText(text: string): Promise<void> {
  if (navigator.clipboard) return navigator.clipboard.writeText(text);
  const field = document.createElement("textarea");
  field.value = text;
  document.body.append(field);
  field.select();
  document.execCommand("copy");
  field.remove();
}

export function CopyButton({ text, label = "Copy" }: { text: string; label?: string }): ReactNode {
  const [isDone, setDone] = useState(false);
  const copy = async (): Promise<void> => {
    try {
      await copyText(text);
      setDone(true);
      setTimeout(() => setDone(false), 1_500);
    } catch {
      tell("The browser does not allow copying here.", true);
    }
  };
  return (
    <button className="small" onClick={() => void copy()}>
      {isDone ? "Copied" : label}
    </button>
  );
}
