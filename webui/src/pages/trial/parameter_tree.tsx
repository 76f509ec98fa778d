import type { ReactNode } from "react";
import type { Json } from "../../api/types";
import { count } from "../../format/number";
import { shorten, visible } from "../../format/text";
import { CopyButton } from "../../parts/copy";

const longestValue = 400;

/** Parameters as a nested list; the choice that was made stands behind its name. */
export function ParameterTree({ value }: { value: unknown }): ReactNode {
  return (
    <>
      <Branch value={value as Json} />
      <CopyButton text={JSON.stringify(value, null, 2)} label="Copy as JSON" />
    </>
  );
}

function Branch({ value }: { value: Json }): ReactNode {
  if (typeof value !== "object" || value === null || Array.isArray(value)) return <Leaf value={value as Json} />;
  return (
    <ul className="tree">
      {Object.entries(value as { [key: string]: Json }).map(([name, inner]) => {
        if (name === "_name") return null;
        const isBranch = typeof inner === "object" && inner !== null && !Array.isArray(inner);
        const choice = isBranch ? (inner as { [key: string]: Json })["_name"] : undefined;
        return (
          <li key={name}>
            <bdi className="soft">{shorten(visible(name), 200)}</bdi> {choice !== undefined && <Leaf value={choice} />}
            {isBranch ? <Branch value={inner} /> : <Leaf value={inner} />}
          </li>
        );
      })}
    </ul>
  );
}

function Leaf({ value }: { value: Json }): ReactNode {
  const text = typeof value === "string" ? value : JSON.stringify(value);
  return (
    <>
      <bdi className="mono wrap">{shorten(visible(text.slice(0, longestValue + 1)), longestValue)}</bdi>
      {text.length > longestValue && <span className="soft"> ({count(text.length)} characters)</span>}
    </>
  );
}
