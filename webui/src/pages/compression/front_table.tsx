import type { ReactNode } from "react";
import { Card } from "../../parts/card";
import { plural } from "../../format/text";
import type { Objective } from "./objectives";
import type { FrontData } from "./pareto";

interface Props {
  data: FrontData;
  objectives: readonly Objective[];
  chosen: string;
  choose: (trial: string) => void;
}

/** The front as a table: the way to its points without a mouse. */
export function FrontTable({ data, objectives, chosen, choose }: Props): ReactNode {
  const { front, baseline } = data;
  return (
    <Card title={`${plural(front.length, "model")} on the front`}>
      <div className="scroll front-table" tabIndex={0} role="region" aria-label="Models on the front">
        <table className="plain">
          <thead>
            <tr>
              <th scope="col">Model</th>
              {objectives.map(({ column, measure }) => (
                <th key={column} scope="col" className="number">
                  {measure.title}
                </th>
              ))}
            </tr>
          </thead>
          <tbody>
            {baseline && (
              <tr className="soft">
                <td>Original</td>
                {objectives.map(({ column, measure }, index) => (
                  <td key={column} className="number">
                    {measure.show(baseline[index])}
                  </td>
                ))}
              </tr>
            )}
            {front.map(({ id, sequence, values }) => (
              <tr key={id} className={id === chosen ? "chosen" : undefined}>
                <td>
                  <button className="link" aria-pressed={id === chosen} onClick={() => choose(id)}>
                    Trial {sequence}
                  </button>
                </td>
                {objectives.map(({ column, measure }, index) => (
                  <td key={column} className="number">
                    {measure.show(values[index])}
                  </td>
                ))}
              </tr>
            ))}
          </tbody>
        </table>
      </div>
    </Card>
  );
}
