import type { ReactNode } from "react";
import { api } from "../../api/client";
import { useLoad } from "../../api/use_load";
import { Card } from "../../parts/card";
import { Facts } from "../../parts/facts";
import { WhenLoaded } from "../../parts/states";
import { attempt } from "../../parts/toast";

/** The daemon as a whole, and the switch that keeps it from starting anything. */
export function DaemonCard(): ReactNode {
  const loaded = useLoad((signal) => api.get("/api/v1/daemon", { signal }), []);
  const turn = async (isDraining: boolean): Promise<void> => {
    if (isDraining) await attempt(() => api.delete("/api/v1/daemon/drain"), "Trials are started again.");
    else await attempt(() => api.put("/api/v1/daemon/drain"), "Nothing new is started. What runs goes on.");
    loaded.reload();
  };
  return (
    <WhenLoaded loaded={loaded}>
      {({ version, draining, runningTrials }) => (
        <Card
          title="Daemon"
          actions={<button onClick={() => void turn(draining)}>{draining ? "Resume" : "Drain"}</button>}
        >
          <Facts
            items={[
              ["Version", version],
              ["Running trials", String(runningTrials)],
              ["Starts trials", draining ? "no: it is drained" : "yes"],
            ]}
          />
        </Card>
      )}
    </WhenLoaded>
  );
}
