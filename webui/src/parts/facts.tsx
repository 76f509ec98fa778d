import type { ReactNode } from "react";

export type Fact = readonly [name: string, value: ReactNode] | null | undefined | false;

/** Names and values in two aligned columns. */
export function Facts({ items }: { items: readonly Fact[] }): ReactNode {
  return (
    <dl className="facts">
      {items
        .filter((item): item is readonly [string, ReactNode] => Boolean(item))
        .map(([name, value]) => (
          <div key={name}>
            <dt>{name}</dt>
            <dd>{value}</dd>
          </div>
        ))}
    </dl>
  );
}
