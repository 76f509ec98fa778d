import type { ReactNode } from "react";
import type { Host } from "../../api/types";
import { bytes, number } from "../../format/number";
import { plural } from "../../format/text";
import { Text } from "../../parts/text";
import { Meter } from "../../parts/meter";

export function hostState(host: Host): { text: string; tone: "good" | "bad" | "wait" } {
  if (host.reason) return { text: host.reason, tone: host.connected ? "wait" : "bad" };
  if (!host.connected) return { text: "not connected", tone: "bad" };
  return host.drained ? { text: "drained: nothing new is started", tone: "wait" } : { text: "ready", tone: "good" };
}

const trialsOn = (host: Host, experimentId?: string): number =>
  experimentId === undefined
    ? Object.values(host.trials).reduce((sum, count) => sum + count, 0)
    : (host.trials[experimentId] ?? 0);

/** One host in a few lines: its state, how loaded it is, and its GPUs. */
export function HostSummary({ host, experimentId }: { host: Host; experimentId?: string }): ReactNode {
  const { text, tone } = hostState(host);
  const used = host.memory !== undefined && host.memoryFree !== undefined ? host.memory - host.memoryFree : undefined;
  return (
    <div className="host-summary">
      <div className="row">
        <strong>
          <Text>{host.id}</Text>
        </strong>
        <span className={`status ${tone}`}>
          <Text>{text}</Text>
        </span>
        <span className="end soft">
          {plural(trialsOn(host, experimentId), "trial")}
          {host.slots !== undefined && ` of ${host.slots}`}
        </span>
      </div>
      <div className="meters">
        {host.load !== undefined && host.cores !== undefined && (
          <Meter label="CPU" value={host.load / host.cores} text={`${number(host.load)} of ${host.cores}`} />
        )}
        {used !== undefined && host.memory !== undefined && (
          <Meter label="Memory" value={used / host.memory} text={`${bytes(used)} of ${bytes(host.memory)}`} />
        )}
        {(host.gpus ?? []).map((gpu) => (
          <Meter
            key={gpu.index}
            label={`GPU ${gpu.index}`}
            value={gpu.utilization / 100}
            text={`${gpu.utilization} %, ${bytes(gpu.memoryUsed)} of ${bytes(gpu.memory)}`}
          />
        ))}
      </div>
      {host.gpuError && (
        <p className="soft">
          <Text>{host.gpuError}</Text>
        </p>
      )}
    </div>
  );
}
