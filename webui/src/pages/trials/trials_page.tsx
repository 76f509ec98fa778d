// All trials of an experiment, in any order, with any columns.
import { useCallback, useEffect, useMemo, useState, type ReactNode } from "react";
import { cancelTrial } from "../../api/experiment_actions";
import { isCompression, objectiveOf } from "../../api/objective";
import { errorText } from "../../api/problem";
import { useStore } from "../../api/store";
import { isFilterError, trialPages, TrialWindow } from "../../api/trial_window";
import { hasEnded, type Trial } from "../../api/types";
import { go, to, useQueryList, useQueryValue } from "../../app/router";
import { count } from "../../format/number";
import { plural } from "../../format/text";
import { Confirm } from "../../parts/dialog";
import { EmptyState, ErrorState } from "../../parts/states";
import { attempt } from "../../parts/toast";
import { VirtualTable } from "../../parts/virtual_table";
import { useExperiment } from "../experiment/context";
import { CustomTrialDialog } from "../trial/custom_trial";
import { ColumnChooser } from "./column_chooser";
import { FilterField } from "./filter_field";
import { defaultColumns, trialTableColumns } from "./trial_table_columns";
import { useTrialColumns } from "./use_trial_columns";

const mostCompared = 12;

export default function TrialsPage(): ReactNode {
  const { live, experiment } = useExperiment();
  const [sort, setSort] = useQueryValue("sort", "-sequence");
  const [filter, setFilter] = useQueryValue("filter");
  const [chosen, setChosen] = useQueryList("columns");
  const [selected, setSelected] = useState<ReadonlyMap<string, Trial>>(new Map());
  const [copied, setCopied] = useState<Trial | null>(null);
  const [isKilling, setKilling] = useState(false);
  const window = useMemo(() => new TrialWindow(trialPages(experiment.id)), [experiment.id]);
  useEffect(() => {
    const release = live.onBatch((batch) => window.take(batch));
    return () => {
      release();
      window.close();
    };
  }, [live, window]);
  useEffect(() => window.ask({ sort, filter }), [window, sort, filter]);
  const { total, rows, error } = useStore(window.state);
  const known = useTrialColumns(experiment, rows);
  const names = chosen.length > 0 ? chosen : defaultColumns(experiment, known);
  const columns = useMemo(
    () =>
      trialTableColumns(names, experiment.id, objectiveOf(experiment).name, {
        hasModels: isCompression(experiment),
        copy: setCopied,
        kill: (trial) => void attempt(() => cancelTrial(trial), `Trial ${trial.sequence} is being ended.`),
      }),
    // The names are a new list at each render.
    [names.join(","), experiment.id],
  );
  const sight = useMemo(() => (first: number, last: number) => window.show(first, last), [window]);
  const toggle = useCallback(
    (trial: Trial): void =>
      setSelected((before) => {
        const next = new Map(before);
        if (!next.delete(trial.id)) next.set(trial.id, trial);
        return next;
      }),
    [],
  );
  const selectedIds = useMemo(() => new Set(selected.keys()), [selected]);
  const running = [...selected.values()].filter(({ status }) => !hasEnded(status));

  return (
    <>
      <div className="row filters">
        <FilterField value={filter} set={setFilter} columns={known} problem={isFilterError(error) ? error : null} />
        <span className="soft">
          {total !== null && !isFilterError(error) && `${count(total)} trial${total === 1 ? "" : "s"}`}
        </span>
        <ColumnChooser known={known} chosen={names} set={setChosen} />
        {selected.size > 1 && <a href={compareAddress(experiment.id, selected)}>Compare {selected.size}</a>}
        {running.length > 0 && <button onClick={() => setKilling(true)}>Kill {plural(running.length, "trial")}</button>}
        {selected.size > 0 && <button onClick={() => setSelected(new Map())}>Clear selection</button>}
      </div>
      {error !== null && !isFilterError(error) && (
        <ErrorState error={errorText(error)} retry={() => window.refresh()} />
      )}
      {total === 0 && error === null ? (
        <NoTrials hasFilter={filter !== ""} clear={() => setFilter("")} />
      ) : (
        <VirtualTable
          label="Trials"
          columns={columns}
          total={total ?? 0}
          rowAt={(place) => rows.get(place)}
          keyOf={({ id }) => id}
          sort={sort}
          onSort={setSort}
          onSight={sight}
          onOpen={({ id }) => go(to(["experiments", experiment.id, "trials", id]))}
          selected={selectedIds}
          onToggle={toggle}
          marked={experiment.best?.trialId}
        />
      )}
      {copied && <CustomTrialDialog trial={copied} close={() => setCopied(null)} />}
      {isKilling && (
        <Confirm
          title={`Kill ${plural(running.length, "trial")}?`}
          action="Kill"
          isDangerous
          close={() => setKilling(false)}
          run={() => void attempt(() => Promise.all(running.map(cancelTrial)), "They are being ended.")}
        >
          Their results so far are kept.
        </Confirm>
      )}
    </>
  );
}

const compareAddress = (experimentId: string, selected: ReadonlyMap<string, Trial>): string =>
  to(["experiments", experimentId, "compare"], { trials: [...selected.keys()].slice(0, mostCompared) });

function NoTrials({ hasFilter, clear }: { hasFilter: boolean; clear: () => void }): ReactNode {
  if (hasFilter) {
    return (
      <EmptyState title="No trial matches the filter">
        <button onClick={clear}>Clear the filter</button>
      </EmptyState>
    );
  }
  return <EmptyState title="There are no trials yet">The first comes when the experiment runs.</EmptyState>;
}
