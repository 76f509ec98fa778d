import type { ReactNode } from "react";
import { useHosts } from "../../api/hosts_live";
import { ErrorState, Loading } from "../../parts/states";
import { HostSummary } from "../hosts/host_summary";

/** Where the experiment's trials run now, or every host while none runs. */
export function HostLoad({ experimentId }: { experimentId: string }): ReactNode {
  const { items, error, reload } = useHosts();
  if (items === null) return error === null ? <Loading /> : <ErrorState error={error} retry={reload} />;
  const used = items.filter(({ trials }) => (trials[experimentId] ?? 0) > 0);
  return (
    <div className="stack">
      {(used.length > 0 ? used : items).map((host) => (
        <HostSummary key={host.id} host={host} experimentId={experimentId} />
      ))}
    </div>
  );
}
