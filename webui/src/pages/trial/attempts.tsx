import type { ReactNode } from "react";
import type { Trial } from "../../api/types";
import { Card } from "../../parts/card";
import { Text } from "../../parts/text";
import { Time } from "../../parts/time";

/** The attempts before the present one; nothing where there were none. */
export function Attempts({ trial }: { trial: Trial }): ReactNode {
  if (!trial.attempts?.length) return null;
  return (
    <Card title="Earlier attempts">
      <table className="plain">
        <thead>
          <tr>
            <th scope="col">Attempt</th>
            <th scope="col">Host</th>
            <th scope="col">From</th>
            <th scope="col">To</th>
            <th scope="col">Why it was run again</th>
          </tr>
        </thead>
        <tbody>
          {trial.attempts.map(({ attempt, host, startTime, endTime, reason }) => (
            <tr key={attempt}>
              <td>{attempt + 1}</td>
              <td>{host ? <Text>{host}</Text> : "–"}</td>
              <td>
                <Time at={startTime} />
              </td>
              <td>
                <Time at={endTime} />
              </td>
              <td className="wrap">
                <Text length={500}>{reason ?? ""}</Text>
              </td>
            </tr>
          ))}
        </tbody>
      </table>
    </Card>
  );
}
