import type { ReactNode } from "react";
import { atPath } from "../api/trial_columns";
import { change, measures } from "../format/measures";

interface Props {
  before: unknown;
  after: unknown;
  titles?: readonly [string, string];
}

/** The measures of two models beside each other, and what became better or worse. */
export function ComparisonTable({ before, after, titles = ["Original", "Best"] }: Props): ReactNode {
  const known = measures.filter(({ key }) => atPath(before, key) !== undefined || atPath(after, key) !== undefined);
  return (
    <div className="scroll" tabIndex={0} role="region" aria-label="Measures">
      <table className="plain">
        <thead>
          <tr>
            <th scope="col">Measure</th>
            {[...titles, "Change"].map((title) => (
              <th key={title} scope="col" className="number">
                {title}
              </th>
            ))}
          </tr>
        </thead>
        <tbody>
          {known.map((measure) => {
            const [old, now] = [atPath(before, measure.key), atPath(after, measure.key)];
            const difference = change(measure, old, now);
            const tone = difference?.isBetter == null ? "" : difference.isBetter ? "better" : "worse";
            return (
              <tr key={measure.key}>
                <th scope="row">{measure.title}</th>
                <td className="number">{measure.show(old)}</td>
                <td className="number">{measure.show(now)}</td>
                <td className={`number ${tone}`}>{difference?.text ?? ""}</td>
              </tr>
            );
          })}
        </tbody>
      </table>
    </div>
  );
}
