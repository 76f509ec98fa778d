import type { ReactNode } from "react";
import type { Experiment } from "../../api/types";
import { visible } from "../../format/text";

/** What stands in the way of an experiment, and what the daemon warned of. */
export function Notices({ experiment }: { experiment: Experiment }): ReactNode {
  const { error, obstacle, warnings } = experiment;
  return (
    <>
      {error && <Notice tone="bad" text={error} />}
      {obstacle && <Notice tone="wait" text={`Waiting: ${obstacle}`} />}
      {warnings.map((warning) => (
        <Notice key={warning} tone="wait" text={warning} />
      ))}
    </>
  );
}

function Notice({ tone, text }: { tone: "bad" | "wait"; text: string }): ReactNode {
  return (
    <div className={`notice ${tone}`} role={tone === "bad" ? "alert" : "note"}>
      <bdi>{visible(text.slice(0, 4_000))}</bdi>
    </div>
  );
}
