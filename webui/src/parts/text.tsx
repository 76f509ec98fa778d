import { memo, type ReactNode } from "react";
import { shorten, visible } from "../format/text";

interface Props {
  /** Text that somebody else wrote. */
  children: string;
  length?: number;
  className?: string | undefined;
  /** Shows the rest when pointed at. */
  hasTitle?: boolean;
}

/** Text from outside on one line: short, with nothing invisible in it, its direction kept to itself. */
export const Text = memo(function Text({ children, length = 200, className, hasTitle = false }: Props): ReactNode {
  // What is cut off need not be looked at: it may be a megabyte.
  const text = shorten(visible(children.slice(0, length + 1)).replace(/\s/g, " "), length);
  return (
    <bdi className={className} title={hasTitle ? shorten(visible(children.slice(0, 1_001)), 1_000) : undefined}>
      {text}
    </bdi>
  );
});

const longest = 200_000;

/** Text from outside on many lines. */
export function TextBlock({ children, label }: { children: string; label: string }): ReactNode {
  const text = visible(children.slice(0, longest + 1));
  return (
    <pre className="block" dir="auto" tabIndex={0} aria-label={label} role="region">
      {shorten(text, longest)}
      {children.length > longest &&
        `\n(${children.length.toLocaleString()} characters; the first ${longest.toLocaleString()} are shown)`}
    </pre>
  );
}
