import { useEffect, useId, useState, type ReactNode } from "react";
import type { Column } from "../../api/analysis";
import type { ApiError } from "../../api/problem";
import { visible } from "../../format/text";
import { completeFilter } from "./filter_text";

interface Props {
  value: string;
  set: (value: string) => void;
  columns: readonly Column[];
  problem: ApiError | null;
}

const patience = 300;

/** The filter expression, sent on when nothing was typed for a moment; names of columns are suggested. */
export function FilterField({ value, set, columns, problem }: Props): ReactNode {
  const [text, setText] = useState(value);
  const id = useId();
  useEffect(() => setText(value), [value]);
  useEffect(() => {
    if (text === value) return;
    const timer = setTimeout(() => set(text), patience);
    return () => clearTimeout(timer);
  }, [text, value, set]);
  const suggestions = completeFilter(text, columns);
  return (
    <div className="grow filter-field">
      <input
        type="search"
        data-search
        list={`${id}-list`}
        aria-label="Filter trials"
        aria-invalid={problem !== null}
        aria-describedby={`${id}-help`}
        placeholder="status = SUCCEEDED and metric >= 0.9"
        value={text}
        onChange={(event) => setText(event.target.value)}
        onKeyDown={(event) => event.key === "Enter" && set(text)}
      />
      <datalist id={`${id}-list`}>
        {suggestions.map((suggestion) => (
          <option key={suggestion} value={suggestion} />
        ))}
      </datalist>
      <span id={`${id}-help`} className={problem ? "worse" : "hidden"} role={problem ? "alert" : undefined}>
        {problem ? visible(problem.message) : "column op value with = != < <= > >= ~ in, joined by and, or, not"}
      </span>
    </div>
  );
}
