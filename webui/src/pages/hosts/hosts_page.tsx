// The machines that trials run on.
import { useState, type ReactNode } from "react";
import { api } from "../../api/client";
import { useHosts } from "../../api/hosts_live";
import type { Host, HostTest } from "../../api/types";
import { useLoad } from "../../api/use_load";
import { to } from "../../app/router";
import { bytes } from "../../format/number";
import { plural } from "../../format/text";
import { Card } from "../../parts/card";
import { Facts } from "../../parts/facts";
import { EmptyState, ErrorState, Loading } from "../../parts/states";
import { Text } from "../../parts/text";
import { Time } from "../../parts/time";
import { attempt } from "../../parts/toast";
import { DaemonCard } from "./daemon_card";
import { HostSummary } from "./host_summary";
import { HostTestDialog } from "./host_test";

export default function HostsPage(): ReactNode {
  const { items, daemon, error, reload, accept } = useHosts({ isStream: true });
  const names = useExperimentNames();
  const [test, setTest] = useState<HostTest | null>(null);
  return (
    <>
      <div className="page-head">
        <h1>Hosts</h1>
        <span className="soft">{items && plural(items.length, "host")}</span>
      </div>
      {error !== null && <ErrorState error={error} retry={reload} />}
      {items === null && error === null && <Loading />}
      <div className="grid">
        <div className="third">{daemon && <DaemonCard daemon={daemon} changed={reload} />}</div>
        {items?.map((host) => (
          <div key={host.id} className="half">
            <HostCard host={host} names={names} accept={accept} showTest={setTest} />
          </div>
        ))}
      </div>
      {items?.length === 0 && (
        <EmptyState title="No hosts">
          An experiment’s trainingService names the machines that its trials run on.
        </EmptyState>
      )}
      {test && <HostTestDialog test={test} close={() => setTest(null)} />}
    </>
  );
}

/** Names of experiments by id, for the trials that run on a host. */
function useExperimentNames(): ReadonlyMap<string, string> {
  const { data } = useLoad(
    (signal) => api.get("/api/v1/experiments", { query: { status: ["RUNNING", "NO_MORE_TRIAL"] }, signal }),
    [],
  );
  return new Map((data?.items ?? []).map(({ id, name }) => [id, name || id]));
}

interface HostCardProps {
  host: Host;
  names: ReadonlyMap<string, string>;
  accept: (host: Host) => void;
  showTest: (test: HostTest) => void;
}

function HostCard({ host, names, accept, showTest }: HostCardProps): ReactNode {
  const [isTesting, setTesting] = useState(false);
  const path = { host: host.id };
  const turn = async (): Promise<void> => {
    const changed = host.drained
      ? await attempt(() => api.post("/api/v1/hosts/{host}/resume", { path }), "Trials are started there again.")
      : await attempt(() => api.post("/api/v1/hosts/{host}/drain", { path }), "Nothing new is started there.");
    if (changed) accept(changed);
  };
  const test = async (): Promise<void> => {
    setTesting(true);
    const found = await attempt(() => api.post("/api/v1/hosts/{host}/test", { path }));
    setTesting(false);
    if (found) showTest(found);
  };
  return (
    <Card
      title={host.kind === "local" ? "This machine" : `${host.kind} host`}
      actions={
        <>
          <button onClick={() => void test()} disabled={isTesting}>
            {isTesting ? "Testing…" : "Test"}
          </button>
          <button onClick={() => void turn()}>{host.drained ? "Resume" : "Drain"}</button>
        </>
      }
    >
      <HostSummary host={host} />
      <Gpus host={host} />
      <Facts
        items={[
          host.agent && ["Agent", <Text key="agent">{`${host.agent.version} on ${host.agent.hostname}`}</Text>],
          host.agent && [
            "Trial program",
            host.agent.trialProgram ? <code key="program">{host.agent.trialProgram}</code> : "none of this version",
          ],
          host.diskFree !== undefined && ["Free disk", bytes(host.diskFree)],
          host.reportTime !== undefined && ["Last report", <Time key="report" at={host.reportTime} />],
          ...Object.entries(host.labels ?? {}).map(
            ([name, value]) => [`Label ${name}`, <Text key={name}>{value}</Text>] as const,
          ),
        ]}
      />
      <Trials host={host} names={names} />
    </Card>
  );
}

function Trials({ host, names }: { host: Host; names: ReadonlyMap<string, string> }): ReactNode {
  const running = Object.entries(host.trials).filter(([, count]) => count > 0);
  if (running.length === 0) return null;
  return (
    <>
      <h3>Trials that run here</h3>
      <p className="chips">
        {running.map(([id, count]) => (
          <a key={id} className="chip" href={to(["experiments", id])}>
            <Text length={40}>{names.get(id) ?? id}</Text> {count}
          </a>
        ))}
      </p>
    </>
  );
}

function Gpus({ host }: { host: Host }): ReactNode {
  const busy = (host.gpus ?? []).filter(({ processes }) => processes.length > 0);
  if (busy.length === 0) return null;
  return (
    <>
      <h3>Processes on GPUs</h3>
      <table className="plain">
        <tbody>
          {busy.flatMap(({ index, name, processes }) =>
            processes.map((process) => (
              <tr key={`${index} ${process.pid}`}>
                <td>
                  GPU {index} <Text className="soft">{name}</Text>
                </td>
                <td className="number">{process.pid}</td>
                <td>
                  <Text>{process.attempt ?? process.name ?? ""}</Text>
                </td>
                <td>
                  <Text>{process.user ?? ""}</Text>
                </td>
              </tr>
            )),
          )}
        </tbody>
      </table>
    </>
  );
}
