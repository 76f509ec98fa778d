// A log that is followed as it is written, with search.
import { useEffect, useMemo, useRef, useState, type ReactNode } from "react";
import { useStore } from "../../api/store";
import { ansiPieces, ansiText } from "../../format/ansi";
import { visible } from "../../format/text";
import { ApiError, errorText } from "../../api/problem";
import { SaveLink } from "../save_link";
import { useRowsInSight } from "../virtual_rows";
import { LogBuffer, matches } from "./log_buffer";
import { readText } from "./log_stream";
import "../../style/log.css";

const rowHeight = 18;
const tail = 5_000;
const retryAfter = 2_000;

interface Props {
  /** Path of the log in the REST interface. */
  path: string;
  name: string;
  /** Whether the daemon goes on with the answer as the log grows. */
  isLive: boolean;
  height?: string;
}

/** Reads the log and, while it is live, again from the end after a connection broke. */
function useLog(path: string, isLive: boolean): { buffer: LogBuffer; error: unknown; isOpen: boolean } {
  const [buffer, setBuffer] = useState(() => new LogBuffer());
  const [error, setError] = useState<unknown>(null);
  const [isOpen, setOpen] = useState(false);
  useEffect(() => {
    const controller = new AbortController();
    let timer: ReturnType<typeof setTimeout> | undefined;
    const start = (): void => {
      let lines: LogBuffer | undefined;
      void readText(
        `${path}?tail=${tail}${isLive ? "&follow=true" : ""}`,
        {
          open: () => {
            lines = new LogBuffer();
            setBuffer(lines);
            setOpen(true);
            setError(null);
          },
          text: (text) => lines?.append(text),
          end: (problem) => {
            setOpen(false);
            setError(problem);
            if (problem !== null && !(problem instanceof ApiError)) timer = setTimeout(start, retryAfter);
          },
        },
        controller.signal,
      );
    };
    start();
    return () => {
      clearTimeout(timer);
      controller.abort();
    };
  }, [path, isLive]);
  return { buffer, error, isOpen };
}

export function LogView({ path, name, isLive, height = "24rem" }: Props): ReactNode {
  const { buffer, error, isOpen } = useLog(path, isLive);
  const { lines, dropped } = useStore(buffer.state);
  const [search, setSearch] = useState("");
  const [at, setAt] = useState(0);
  const [doesFollow, setFollow] = useState(true);
  const found = useMemo(() => matches(lines, search, ansiText), [lines, search]);
  const [box, { first, end }, look] = useRowsInSight<HTMLDivElement>(rowHeight, lines.length);
  const current = found[Math.min(at, found.length - 1)];
  const isFollowing = useRef(doesFollow);
  isFollowing.current = doesFollow;

  useEffect(() => {
    const element = box.current;
    if (element && isFollowing.current && !search) element.scrollTop = element.scrollHeight;
  }, [lines, box, search, doesFollow]);
  useEffect(() => {
    if (current !== undefined && box.current) box.current.scrollTop = Math.max(0, (current - 4) * rowHeight);
  }, [current, box]);

  const step = (by: number): void => setAt((place) => (found.length ? (place + by + found.length) % found.length : 0));
  const isMissing = error instanceof ApiError && error.status === 404;
  return (
    <div className="log">
      <div className="row">
        <input
          type="search"
          className="grow"
          placeholder="Search this log"
          aria-label={`Search in ${name}`}
          value={search}
          onChange={(event) => {
            setSearch(event.target.value);
            setAt(0);
          }}
          onKeyDown={(event) => event.key === "Enter" && step(event.shiftKey ? -1 : 1)}
        />
        {search && (
          <span className="row" aria-live="polite">
            {found.length ? `${Math.min(at, found.length - 1) + 1} of ${found.length}` : "not found"}
            <button className="small" aria-label="Previous" onClick={() => step(-1)}>
              ↑
            </button>
            <button className="small" aria-label="Next" onClick={() => step(1)}>
              ↓
            </button>
          </span>
        )}
        <label className="row">
          <input type="checkbox" checked={doesFollow} onChange={(event) => setFollow(event.target.checked)} /> Follow
        </label>
        <span className="soft">{isOpen && isLive ? "live" : ""}</span>
        <SaveLink path={path} name={name}>
          Download
        </SaveLink>
      </div>
      {error !== null && <p className="soft">{isMissing ? `There is no ${name} yet.` : errorText(error)}</p>}
      {dropped > 0 && <p className="soft">{dropped.toLocaleString()} earlier lines are only in the file.</p>}
      <div
        className="log-lines"
        style={{ height }}
        ref={box}
        tabIndex={0}
        role="log"
        aria-label={name}
        aria-live="off"
        onScroll={(event) => {
          look();
          const { scrollTop, scrollHeight, clientHeight } = event.currentTarget;
          if (scrollTop + clientHeight < scrollHeight - 3 * rowHeight && doesFollow && !search) setFollow(false);
        }}
      >
        {lines.length === 0 && error === null && <p className="soft">It is empty.</p>}
        <div className="log-body" style={{ height: lines.length * rowHeight }}>
          {lines.slice(first, end).map((line, index) => (
            <Line
              key={dropped + first + index}
              line={line}
              place={first + index}
              search={search}
              isCurrent={first + index === current}
            />
          ))}
        </div>
      </div>
    </div>
  );
}

interface LineProps {
  line: string;
  place: number;
  search: string;
  isCurrent: boolean;
}

function Line({ line, place, search, isCurrent }: LineProps): ReactNode {
  return (
    <div className={isCurrent ? "log-line current" : "log-line"} style={{ top: place * rowHeight }} dir="auto">
      {ansiPieces(line).map(({ text, style }, index) => (
        <span key={index} className={style || undefined}>
          <Marked text={visible(text)} search={search} />
        </span>
      ))}
    </div>
  );
}

/** Text with each occurrence of the search marked. */
function Marked({ text, search }: { text: string; search: string }): ReactNode {
  if (!search) return text;
  const pieces: ReactNode[] = [];
  const lower = text.toLowerCase();
  const wanted = search.toLowerCase();
  let from = 0;
  for (let at = lower.indexOf(wanted); at >= 0; at = lower.indexOf(wanted, from)) {
    pieces.push(text.slice(from, at), <mark key={at}>{text.slice(at, at + wanted.length)}</mark>);
    from = at + wanted.length;
  }
  return [...pieces, text.slice(from)];
}
