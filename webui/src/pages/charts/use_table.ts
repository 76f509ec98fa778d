import { useCallback, useEffect, useState } from "react";
import { analysis } from "../../api/analysis";
import type { Batch } from "../../api/experiment_live";
import { useLoad, type Loaded } from "../../api/use_load";
import { useBatches, useExperiment } from "../experiment/context";
import { rowsOf, withTrials, type TableData } from "./table_data";

const sample = 2_000;

/** A part of the experiment's table, to which events add the trials that end. */
export function useTable(columns: readonly string[]): Loaded<TableData> {
  const { experiment } = useExperiment();
  const names = columns.join("\n");
  const loaded = useLoad(
    async (signal) => rowsOf(await analysis.table(experiment.id, { columns, sample }, signal), columns),
    [experiment.id, names],
  );
  const [data, setData] = useState<{ names: string; table: TableData }>();
  useEffect(() => {
    if (loaded.data) setData({ names, table: loaded.data });
    // Columns that changed come with the next answer.
  }, [loaded.data]);
  const { reload } = loaded;
  const take = useCallback(
    ({ trials, wasReset }: Batch) => {
      if (wasReset) reload();
      setData((before) => before && { ...before, table: withTrials(before.table, trials, before.names.split("\n")) });
    },
    [reload],
  );
  useBatches(take);
  // Rows of other columns than those asked for would be read in the wrong places.
  return { ...loaded, data: data?.names === names ? data.table : undefined };
}
