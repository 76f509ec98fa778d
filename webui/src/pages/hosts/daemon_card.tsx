import type { ReactNode } from "react";
import { api } from "../../api/client";
import type { Daemon } from "../../api/types";
import { Card } from "../../parts/card";
import { Facts } from "../../parts/facts";
import { attempt } from "../../parts/toast";

/** The daemon as a whole, and the switch that keeps it from starting anything. */
export function DaemonCard({ daemon, changed }: { daemon: Daemon; changed: () => void }): ReactNode {
  const { version, draining, runningTrials } = daemon;
  const turn = async (): Promise<void> => {
    if (draining) await attempt(() => api.delete("/api/v1/daemon/drain"), "Trials are started again.");
    else await attempt(() => api.put("/api/v1/daemon/drain"), "Nothing new is started. What runs goes on.");
    changed();
  };
  return (
    <Card title="Daemon" actions={<button onClick={() => void turn()}>{draining ? "Resume" : "Drain"}</button>}>
      <Facts
        items={[
          ["Version", version],
          ["Running trials", String(runningTrials)],
          ["Starts trials", draining ? "no: it is drained" : "yes"],
        ]}
      />
    </Card>
  );
}
