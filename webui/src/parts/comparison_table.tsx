import type { ReactNode } from "react";
import { atPath, leaves } from "../api/trial_columns";
import { change, measures, type Measure } from "../format/measures";
import { number } from "../format/number";
import { Text } from "./text";

interface Props {
  before: unknown;
  after: unknown;
  titles?: readonly [string, string];
}

/** A metric of the user's own: its name and value, and no word on which way is better. */
interface Other {
  readonly key: string;
  readonly value: string;
}

const shownMeasures = (before: unknown, after: unknown): readonly Measure[] =>
  measures.filter(({ key }) => atPath(before, key) !== undefined || atPath(after, key) !== undefined);

function otherMetrics(after: unknown, known: readonly Measure[]): readonly Other[] {
  const keys = new Set(["default", ...known.map(({ key }) => key)]);
  return leaves(after)
    .filter(([key]) => key !== "" && !keys.has(key))
    .map(([key, value]) => ({ key, value: typeof value === "number" ? number(value) : String(value) }));
}

/** The measures of two models beside each other, and what became better or worse; without a first one, of the second. */
export function ComparisonTable({ before, after, titles = ["Original", "Best"] }: Props): ReactNode {
  const known = shownMeasures(before, after);
  const isPair = before !== undefined && before !== null;
  const heads = isPair ? [...titles, "Change"] : [titles[1]];
  return (
    <div className="scroll" tabIndex={0} role="region" aria-label="Measures">
      <table className="plain">
        <thead>
          <tr>
            <th scope="col">Measure</th>
            {heads.map((title) => (
              <th key={title} scope="col" className="number">
                {title}
              </th>
            ))}
          </tr>
        </thead>
        <tbody>
          {known.map((measure) => (
            <MeasureRow
              key={measure.key}
              measure={measure}
              before={atPath(before, measure.key)}
              after={atPath(after, measure.key)}
              isPair={isPair}
            />
          ))}
          {otherMetrics(after, known).map(({ key, value }) => (
            <tr key={key}>
              <th scope="row">
                <Text length={60}>{key}</Text>
              </th>
              {isPair && <td />}
              <td className="number">
                <Text length={60}>{value}</Text>
              </td>
              {isPair && <td />}
            </tr>
          ))}
        </tbody>
      </table>
    </div>
  );
}

interface RowProps {
  measure: Measure;
  before: unknown;
  after: unknown;
  isPair: boolean;
}

function MeasureRow({ measure, before, after, isPair }: RowProps): ReactNode {
  const difference = change(measure, before, after);
  const tone = difference?.isBetter == null ? "" : difference.isBetter ? "better" : "worse";
  return (
    <tr>
      <th scope="row">{measure.title}</th>
      {isPair && <td className="number">{measure.show(before)}</td>}
      <td className="number">{measure.show(after)}</td>
      {isPair && <td className={`number ${tone}`}>{difference?.text ?? ""}</td>}
    </tr>
  );
}
