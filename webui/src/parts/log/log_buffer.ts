// The lines of a log as it grows. Only the last are kept: a trial may write without end.
import { Store } from "../../api/store";

export interface LogLines {
  readonly lines: readonly string[];
  /** How many lines before these were let go. */
  readonly dropped: number;
}

const most = 20_000;
/** A longer line is cut; the whole of it is in the file. */
const longest = 4_000;

function cut(line: string): string {
  if (line.length <= longest) return line;
  return `${line.slice(0, longest)}… (${line.length.toLocaleString("en-GB")} characters; the file has them all)`;
}

export class LogBuffer {
  readonly state = new Store<LogLines>({ lines: [], dropped: 0 });
  private rest = "";

  /** Takes a piece of text, which may end in the midst of a line. */
  append(text: string): void {
    const pieces = (this.rest + text).split("\n");
    this.rest = pieces.pop() ?? "";
    const hadRest = this.hasOpenLine;
    const { lines, dropped } = this.state.get();
    const next = [...(hadRest ? lines.slice(0, -1) : lines), ...pieces.map(cut)];
    this.hasOpenLine = this.rest !== "";
    if (this.hasOpenLine) next.push(cut(this.rest));
    const excess = Math.max(0, next.length - most);
    this.state.set({ lines: excess ? next.slice(excess) : next, dropped: dropped + excess });
  }

  private hasOpenLine = false;
}

/** The places of the lines that have `needle` in them, upper or lower case. */
export function matches(lines: readonly string[], needle: string, text: (line: string) => string): number[] {
  const wanted = needle.toLowerCase();
  if (!wanted) return [];
  return lines.flatMap((line, place) => (text(line).toLowerCase().includes(wanted) ? [place] : []));
}
