import type { ReactNode } from "react";
import { number } from "../../format/number";
import { shorten } from "../../format/text";
import { Text } from "../../parts/text";
import { CopyButton } from "../../parts/copy";

export interface SpaceRow {
  /** Names from the outside in. */
  readonly path: readonly string[];
  readonly type: string;
  readonly values: string;
}

type Space = Readonly<Record<string, { _type?: unknown; _value?: unknown }>>;

const isRecord = (value: unknown): value is Record<string, unknown> =>
  typeof value === "object" && value !== null && !Array.isArray(value);

/** `0.1 … 0.9`, `a, b, c`; of nested choices their names. */
function valuesText(type: string, values: readonly unknown[]): string {
  const show = (value: unknown): string =>
    typeof value === "number" ? number(value) : isRecord(value) ? String(value["_name"] ?? "…") : JSON.stringify(value);
  if (type === "choice") return values.map(show).join(", ");
  const [low, high, ...others] = values.map(show);
  const isNormal = /normal$/.test(type);
  const range = isNormal ? `mean ${low}, deviation ${high}` : `${low} … ${high}`;
  return others.length ? `${range}, step ${others.join(", ")}` : range;
}

/** One row a parameter; what a nested choice owns follows it, one level deeper. */
export function spaceRows(space: unknown, path: readonly string[] = []): SpaceRow[] {
  if (!isRecord(space)) return [];
  return Object.entries(space as Space).flatMap(([name, definition]) => {
    if (name === "_name" || !isRecord(definition)) return [];
    const type = String(definition["_type"] ?? "");
    const values: readonly unknown[] = Array.isArray(definition["_value"]) ? definition["_value"] : [];
    const own: SpaceRow = { path: [...path, name], type, values: shorten(valuesText(type, values), 300) };
    const inner = type === "choice" ? values.filter(isRecord) : [];
    return [own, ...inner.flatMap((choice) => spaceRows(choice, [...path, name, String(choice["_name"] ?? "")]))];
  });
}

export function SearchSpace({ space }: { space: unknown }): ReactNode {
  const rows = spaceRows(space);
  return (
    <>
      <p>
        <CopyButton text={JSON.stringify(space, null, 2)} label="Copy as JSON" />
      </p>
      <div className="scroll" tabIndex={0} role="region" aria-label="Search space">
        <table className="plain">
          <thead>
            <tr>
              <th scope="col">Parameter</th>
              <th scope="col">Type</th>
              <th scope="col">Values</th>
            </tr>
          </thead>
          <tbody>
            {rows.map(({ path, type, values }) => (
              <tr key={path.join("\u0000")}>
                <td className="mono">
                  <span className="soft">
                    {path.slice(0, -1).map((name, index) => (
                      <span key={index}>
                        <Text length={60}>{name}</Text>
                        {" › "}
                      </span>
                    ))}
                  </span>
                  <Text length={80}>{path.at(-1) ?? ""}</Text>
                </td>
                <td>{type}</td>
                <td className="wrap">
                  <Text length={300}>{values}</Text>
                </td>
              </tr>
            ))}
          </tbody>
        </table>
      </div>
    </>
  );
}
