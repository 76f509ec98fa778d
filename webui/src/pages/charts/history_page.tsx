import type { ReactNode } from "react";
import { objectiveOf } from "../../api/objective";
import { useQueryValue } from "../../app/router";
import { useExperiment } from "../experiment/context";
import { tableTitle } from "../trials/trial_table_columns";
import HistoryChart from "./history_chart";
import { MetricChoice } from "./metric_choice";
import { WithColumns } from "./with_columns";

export default function HistoryPage(): ReactNode {
  const { experiment } = useExperiment();
  const [column, setColumn] = useQueryValue("metric", "metric");
  return (
    <WithColumns>
      {(columns) => (
        <HistoryChart
          column={column}
          title={`${tableTitle(column, objectiveOf(experiment).name)} by trial`}
          height="calc(100vh - 19rem)"
          controls={<MetricChoice columns={columns} value={column} set={setColumn} />}
        />
      )}
    </WithColumns>
  );
}
