import type { ReactNode } from "react";
import { shorten, visible } from "../format/text";

interface Props {
  label: string;
  value: string;
  items: readonly (readonly [value: string, title: string])[];
  set: (value: string) => void;
}

/** One of several, with its label before it. */
export function Choice({ label, value, items, set }: Props): ReactNode {
  return (
    <label className="choice">
      <span className="soft">{label}</span>
      <select value={value} onChange={(event) => set(event.target.value)}>
        {items.map(([name, title]) => (
          <option key={name} value={name}>
            {shorten(visible(title), 60)}
          </option>
        ))}
      </select>
    </label>
  );
}
