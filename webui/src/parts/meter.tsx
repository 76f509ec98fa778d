import type { ReactNode } from "react";

/** A share between 0 and 1 as a bar with its words beside it. */
export function Meter({ label, value, text }: { label: string; value: number; text: string }): ReactNode {
  const share = Math.max(0, Math.min(1, Number.isFinite(value) ? value : 0));
  return (
    <div className="meter">
      <span className="soft">{label}</span>
      <div
        className="meter-bar"
        role="meter"
        aria-label={`${label}: ${text}`}
        aria-valuenow={Math.round(100 * share)}
        aria-valuemin={0}
        aria-valuemax={100}
      >
        <div className={share > 0.9 ? "full" : undefined} style={{ width: `${100 * share}%` }} />
      </div>
      <span className="soft">{text}</span>
    </div>
  );
}
