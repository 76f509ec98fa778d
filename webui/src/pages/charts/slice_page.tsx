import { useMemo, useState, type ReactNode } from "react";
import type { Column } from "../../api/analysis";
import { parameterColumns } from "../../api/use_columns";
import { useQueryValue } from "../../app/router";
import { EmptyState, WhenLoaded } from "../../parts/states";
import { MetricChoice } from "./metric_choice";
import { ScatterCard } from "./scatter_card";
import { useTable } from "./use_table";
import { WithColumns } from "./with_columns";

const atOnce = 9;

/** The metric against each parameter: where the good values of each are. */
export default function SlicePage(): ReactNode {
  return <WithColumns>{(columns) => <Slices known={columns} />}</WithColumns>;
}

function Slices({ known }: { known: readonly Column[] }): ReactNode {
  const [metric, setMetric] = useQueryValue("metric", "metric");
  const [shown, setShown] = useState(atOnce);
  const parameters = useMemo(() => parameterColumns(known), [known]);
  const asked = useMemo(
    () => [metric, ...parameters.slice(0, shown).map(({ name }) => name)],
    [metric, parameters, shown],
  );
  const loaded = useTable(asked);
  if (parameters.length === 0) return <EmptyState title="The trials have no parameters" />;
  return (
    <>
      <div className="row filters">
        <MetricChoice columns={known} value={metric} set={setMetric} />
        <span className="soft">The darker a point, the earlier the trial.</span>
      </div>
      <WhenLoaded loaded={loaded}>
        {(data) => (
          <div className="grid">
            {parameters.slice(0, shown).map((column, index) => (
              <div key={column.name} className="third">
                <ScatterCard column={column} metric={metric} rows={data.rows} place={index + 1} />
              </div>
            ))}
          </div>
        )}
      </WhenLoaded>
      {shown < parameters.length && (
        <p>
          <button onClick={() => setShown(shown + atOnce)}>
            Show {Math.min(atOnce, parameters.length - shown)} more
          </button>
        </p>
      )}
    </>
  );
}
