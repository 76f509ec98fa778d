import type { ReactNode } from "react";
import type { Trial } from "../../api/types";
import { visible } from "../../format/text";
import { TextBlock } from "../../parts/text";
import { ansiText } from "../../format/ansi";

/** Why a trial waits, failed, or is odd. */
export function Outcome({ trial }: { trial: Trial }): ReactNode {
  const { waitReason, reason, stderrTail, note, status } = trial;
  return (
    <>
      {waitReason && (
        <div className="notice wait">
          Waiting: <bdi>{visible(waitReason)}</bdi>
        </div>
      )}
      {(reason || stderrTail) && (
        <div className={`notice ${status === "FAILED" ? "bad" : "wait"}`}>
          {reason && <p dir="auto">{visible(reason.slice(0, 4_000))}</p>}
          {stderrTail && (
            <TextBlock label="Last lines of stderr">{stderrTail.split("\n").map(ansiText).join("\n")}</TextBlock>
          )}
        </div>
      )}
      {note && (
        <div className="notice wait">
          <bdi>{visible(note)}</bdi>
        </div>
      )}
    </>
  );
}
