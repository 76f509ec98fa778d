import type { ReactNode } from "react";
import type { Column } from "../../api/analysis";
import { objectiveOf } from "../../api/objective";
import { metricColumns } from "../../api/use_columns";
import { Choice } from "../../parts/choice";
import { tableTitle } from "../trials/trial_table_columns";
import { useExperiment } from "../experiment/context";

interface Props {
  columns: readonly Column[];
  value: string;
  set: (column: string) => void;
  label?: string;
}

/** Which metric a chart is about. */
export function MetricChoice({ columns, value, set, label = "Metric" }: Props): ReactNode {
  const { experiment } = useExperiment();
  const objective = objectiveOf(experiment).name;
  const items = metricColumns(columns).map(({ name }) => [name, tableTitle(name, objective)] as const);
  return <Choice label={label} value={value} set={set} items={items.length > 0 ? items : [["metric", "Metric"]]} />;
}
