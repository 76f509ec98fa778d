import type { ReactNode } from "react";
import type { ExperimentStatus, TrialStatus } from "../api/types";
import { words } from "../format/text";

export type Tone = "good" | "bad" | "busy" | "wait" | "calm";

const tones: Readonly<Record<ExperimentStatus | TrialStatus, Tone>> = {
  INITIALIZED: "wait",
  RUNNING: "busy",
  NO_MORE_TRIAL: "busy",
  TUNER_NO_MORE_TRIAL: "busy",
  DONE: "good",
  STOPPING: "wait",
  STOPPED: "calm",
  ERROR: "bad",
  VIEWED: "calm",
  UNKNOWN: "wait",
  WAITING: "wait",
  SUCCEEDED: "good",
  FAILED: "bad",
  USER_CANCELED: "calm",
  SYS_CANCELED: "calm",
  EARLY_STOPPED: "calm",
};

/** Tones differ by symbol too, for those who do not see the colours. */
const symbols: Readonly<Record<Tone, string>> = { good: "✓", bad: "✕", busy: "▶", wait: "◌", calm: "■" };

export const toneOf = (status: string): Tone => tones[status as TrialStatus] ?? "calm";

export function Status({ status }: { status: ExperimentStatus | TrialStatus | string }): ReactNode {
  const tone = toneOf(status);
  return (
    <span className={`status ${tone}`}>
      <span aria-hidden="true">{symbols[tone]}</span> {words(status)}
    </span>
  );
}
