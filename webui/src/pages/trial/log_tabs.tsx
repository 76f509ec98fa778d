import type { ReactNode } from "react";
import { hasEnded, type Trial } from "../../api/types";
import { useQueryValue } from "../../app/router";
import { LogView } from "../../parts/log/log_view";

const logs = ["stdout", "stderr", "trial.log"] as const;

/** What a trial writes, as it writes it. */
export function LogTabs({ trial }: { trial: Trial }): ReactNode {
  const [log, setLog] = useQueryValue("log", "stdout");
  const shown = logs.find((name) => name === log) ?? "stdout";
  const base = `/api/v1/experiments/${encodeURIComponent(trial.experimentId)}/trials/${encodeURIComponent(trial.id)}`;
  return (
    <>
      <div className="row log-tabs" role="group" aria-label="Log">
        {logs.map((name) => (
          <button key={name} aria-pressed={name === shown} onClick={() => setLog(name)}>
            {name}
          </button>
        ))}
      </div>
      <LogView
        key={`${shown} ${trial.attempt}`}
        path={`${base}/logs/${shown}`}
        name={shown}
        isLive={!hasEnded(trial.status)}
        height="26rem"
      />
    </>
  );
}
