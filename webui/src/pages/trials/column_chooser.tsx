import { useState, type ReactNode } from "react";
import type { Column } from "../../api/analysis";
import { columnTitle } from "../../api/trial_columns";
import { Dialog } from "../../parts/dialog";
import { Text } from "../../parts/text";
import { tableTitle } from "./trial_table_columns";

interface Props {
  known: readonly Column[];
  chosen: readonly string[];
  set: (chosen: readonly string[]) => void;
}

const groups = [
  ["trial", "Trial"],
  ["metric", "Metrics"],
  ["parameter", "Parameters"],
] as const;

const mostOfGroup = 300;

/** Which columns the table has: any parameter or metric. The choice is part of the address. */
export function ColumnChooser({ known, chosen, set }: Props): ReactNode {
  const [isOpen, setOpen] = useState(false);
  const [search, setSearch] = useState("");
  const toggle = (name: string): void =>
    set(chosen.includes(name) ? chosen.filter((each) => each !== name) : [...chosen, name]);
  const matching = known.filter(({ name }) => name.toLowerCase().includes(search.toLowerCase()));
  return (
    <>
      <button onClick={() => setOpen(true)}>Columns…</button>
      {isOpen && (
        <Dialog title="Columns" isWide close={() => setOpen(false)}>
          <input
            type="search"
            placeholder="Find a column"
            aria-label="Find a column"
            value={search}
            onChange={(event) => setSearch(event.target.value)}
          />
          <div className="chooser">
            {groups.map(([group, title]) => (
              <fieldset key={group}>
                <legend>{title}</legend>
                {matching
                  .filter((column) => column.group === group)
                  .slice(0, mostOfGroup)
                  .map(({ name }) => (
                    <label key={name}>
                      <input type="checkbox" checked={chosen.includes(name)} onChange={() => toggle(name)} />{" "}
                      <Text length={80}>{group === "trial" ? tableTitle(name) : columnTitle(name)}</Text>
                    </label>
                  ))}
              </fieldset>
            ))}
          </div>
          <div className="actions">
            <button onClick={() => set([])}>Default columns</button>
            <button className="primary" onClick={() => setOpen(false)}>
              Done
            </button>
          </div>
        </Dialog>
      )}
    </>
  );
}
