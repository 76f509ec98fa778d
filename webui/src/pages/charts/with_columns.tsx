import type { ReactNode } from "react";
import type { Column } from "../../api/analysis";
import { useColumns } from "../../api/use_columns";
import { EmptyState, WhenLoaded } from "../../parts/states";
import { useExperiment } from "../experiment/context";

/** Shows `children` with the experiment's columns once there are results to draw. */
export function WithColumns({ children }: { children: (columns: readonly Column[]) => ReactNode }): ReactNode {
  const { experiment } = useExperiment();
  const loaded = useColumns(experiment);
  return (
    <WhenLoaded loaded={loaded}>
      {({ items }) =>
        items.some(({ name, count }) => name === "metric" && count > 0) ? (
          children(items)
        ) : (
          <EmptyState title="Nothing to draw yet">The first point comes when a trial reports its result.</EmptyState>
        )
      }
    </WhenLoaded>
  );
}
