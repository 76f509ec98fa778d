// All experiments of the daemon.
import { useEffect, useMemo, useState, type ReactNode } from "react";
import { ExperimentListLive } from "../../api/experiment_list";
import { platformsOf } from "../../api/objective";
import { useStore } from "../../api/store";
import type { ExperimentStatus } from "../../api/types";
import { experimentStatuses } from "../../api/types";
import { go, to, useQueryValue } from "../../app/router";
import { words } from "../../format/text";
import { EmptyState, ErrorState, Loading } from "../../parts/states";
import { VirtualTable } from "../../parts/virtual_table";
import { experimentColumns } from "./experiment_columns";
import { filterExperiments, sortExperiments } from "./filter";

/** Nothing is asked until nothing was typed for so long. */
const patience = 300;

export function ExperimentsPage(): ReactNode {
  const live = useMemo(() => new ExperimentListLive(), []);
  const [controller] = useState(() => new AbortController());
  useEffect(() => {
    const stop = new AbortController();
    live.start(stop.signal);
    return () => stop.abort();
  }, [live]);
  const { items, nextCursor, error } = useStore(live.state);
  const [search, setSearch] = useQueryValue("search");
  const [status, setStatus] = useQueryValue("status");
  const [platform, setPlatform] = useQueryValue("platform");
  const [sort, setSort] = useQueryValue("sort", "-created");
  useEffect(() => {
    const stop = new AbortController();
    const query = { search, platform, ...(status ? { status: status as ExperimentStatus } : {}) };
    const timer = setTimeout(() => void live.find(query, stop.signal), patience);
    return () => {
      clearTimeout(timer);
      stop.abort();
    };
  }, [live, search, status, platform]);
  const shown = useMemo(
    () => sortExperiments(filterExperiments(items ?? [], { search, status, platform }), sort),
    [items, search, status, platform, sort],
  );
  const platforms = useMemo(() => [...new Set((items ?? []).flatMap(platformsOf))].sort(), [items]);

  return (
    <>
      <div className="page-head">
        <h1>Experiments</h1>
        <span className="soft">
          {items &&
            `${shown.length === items.length ? "" : `${shown.length} of `}${items.length}${nextCursor ? "+" : ""}`}
        </span>
        <a className="end" href={to(["new"])}>
          New experiment
        </a>
      </div>
      <div className="row filters">
        <input
          type="search"
          className="grow"
          data-search
          placeholder="Name, id, tuner or objective"
          aria-label="Search experiments"
          value={search}
          onChange={(event) => setSearch(event.target.value)}
        />
        <Choice
          label="Status"
          value={status}
          values={experimentStatuses.map((name) => [name, words(name)])}
          set={setStatus}
        />
        <Choice label="Platform" value={platform} values={platforms.map((name) => [name, name])} set={setPlatform} />
        {(search || status || platform) && <button onClick={() => go(to([]))}>Reset</button>}
      </div>
      {error !== null && <ErrorState error={error} />}
      {items === null ? (
        error === null && <Loading />
      ) : items.length === 0 ? (
        <EmptyState title="There are no experiments yet">
          <p>
            <a href={to(["new"])}>Write a configuration here</a>, or run{" "}
            <code>lathectl create --config experiment.yml</code>.
          </p>
        </EmptyState>
      ) : (
        <VirtualTable
          label="Experiments"
          columns={experimentColumns}
          total={shown.length}
          rowAt={(place) => shown[place]}
          keyOf={({ id }) => id}
          sort={sort}
          onSort={setSort}
          onOpen={({ id }) => go(to(["experiments", id]))}
        />
      )}
      {nextCursor && (
        <p>
          <button onClick={() => void live.more(controller.signal)}>Load older experiments</button>
        </p>
      )}
    </>
  );
}

interface ChoiceProps {
  label: string;
  value: string;
  values: readonly (readonly [string, string])[];
  set: (value: string) => void;
}

function Choice({ label, value, values, set }: ChoiceProps): ReactNode {
  return (
    <select aria-label={label} value={value} onChange={(event) => set(event.target.value)}>
      <option value="">{label}: any</option>
      {values.map(([name, title]) => (
        <option key={name} value={name}>
          {title}
        </option>
      ))}
    </select>
  );
}
