import type { ReactNode } from "react";
import { fullTime, time } from "../format/time";

/** A time in the user's zone; day and zone are in the title. */
export function Time({ at }: { at: number | undefined }): ReactNode {
  if (at === undefined) return <>–</>;
  return (
    <time dateTime={new Date(at).toISOString()} title={fullTime(at)}>
      {time(at)}
    </time>
  );
}
