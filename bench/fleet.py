#!/usr/bin/env python3
"""Measures what many hosts cost: trials a minute and time per trial on this machine, over SSH and on Slurm, how fast running trials
are adopted after kill -9, and one lathed with many agents. Prints Markdown tables; asserts nothing.

    bench/fleet.py [throughput] [adoption] [agents] [--trials 200] [--running 100] [--agents 1000]

SSH is sshd on loopback ports (openssh-server), Slurm a private cluster on loopback (slurmctld, slurmd, slurm-client, munge); what is
missing is skipped, loudly. The agents of the last part are real ones, each with a home folder of its own; only ssh is played, by a
script that runs its command here.
"""

import argparse
import os
import statistics
import subprocess
import sys
import tempfile
import threading
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
os.environ.setdefault("LATHE_BIN", str(ROOT / "build/release/bin"))
sys.path.insert(0, str(ROOT / "tests" / "e2e"))
import slurm_cluster  # noqa: E402
import sshd  # noqa: E402
from harness import BASH_REPORT, Daemon, EventReader, config, wait_for  # noqa: E402

CONCURRENCY = 4
TICKS = os.sysconf("SC_CLK_TCK")

FAKE_SSH = """#!/bin/sh
# ssh as lathed calls it, without a network: the host is a folder, named by the port.
while [ $# -gt 1 ]; do
  case "$1" in
    -p) port=$2 ;;
    -O) exit 0 ;;
  esac
  shift
done
export HOME="{homes}/$port"
mkdir -p "$HOME"
cd "$HOME"
exec sh -c "$1"
"""


class Bench:
    """A daemon of its own, ended with everything it has started."""

    def __init__(self, *arguments):
        self.scratch = tempfile.TemporaryDirectory(prefix="lathe-bench-", ignore_cleanup_errors=True)
        self.folder = Path(self.scratch.name)
        self.daemon = Daemon(self.folder, arguments)

    def __enter__(self):
        self.daemon.start()
        return self

    def __exit__(self, *_):
        self.daemon.clean_up()
        self.scratch.cleanup()

    def script(self, body):
        """The command that runs it, from a folder of its own that goes along."""
        folder = Path(tempfile.mkdtemp(dir=self.folder))
        (folder / "trial.sh").write_text(BASH_REPORT + body)
        return {"trialCommand": "bash trial.sh", "trialCodeDirectory": str(folder)}

    def run(self, service, trials, concurrency, code, seconds=900):
        """Seconds from the request to DONE."""
        body = {**config("", maxTrialNumber=trials, trialConcurrency=concurrency, trainingService=service), **code}
        begin = time.perf_counter()
        experiment = self.daemon.client.create(body)["id"]
        self.daemon.client.wait_status(experiment, "DONE", seconds)
        return time.perf_counter() - begin


def table(headings, rows):
    print("\n| " + " | ".join(headings) + " |\n| --- |" + " ---: |" * (len(headings) - 1))
    for row in rows:
        print("| " + " | ".join(row) + " |")
    sys.stdout.flush()


# ---- trials a minute -------------------------------------------------------------------------------------------------------------


def throughput_row(name, bench, service, trials, slots):
    """`trials` of them at once on all slots, then a few one after the other, for what a single one costs."""
    code = bench.script("report FINAL 0 1\n")
    bench.run(service, slots, slots, code)  # brings agent and files there
    together = bench.run(service, trials, slots, code)
    single = max(5, trials // 10)
    alone = bench.run(service, single, 1, code)
    return [name, f"{60 * trials / together:,.0f}", f"{1e3 * alone / single:.0f}"]


def bare_slurm(name, trials, slots, cluster, command):
    """The same number of jobs, `slots` at a time, by Slurm's own commands."""

    def one():
        subprocess.run(command, env=cluster.environment(), cwd=cluster.folder, check=True, stdout=subprocess.DEVNULL,
                       stderr=subprocess.DEVNULL)

    def several(count):
        for _ in range(count):
            one()

    begin = time.perf_counter()
    threads = [threading.Thread(target=several, args=(trials // slots,)) for _ in range(slots)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    together = time.perf_counter() - begin
    single = max(5, trials // 10)
    begin = time.perf_counter()
    several(single)
    return [name, f"{60 * (trials // slots * slots) / together:,.0f}", f"{1e3 * (time.perf_counter() - begin) / single:.0f}"]


def throughput(options):
    rows = []
    with Bench() as bench:
        rows.append(throughput_row("this machine", bench, {"platform": "local"}, options.trials, CONCURRENCY))
    for count in () if sshd.missing() else (1, 3):
        with sshd.SshHosts(count) as hosts, Bench("--ssh-config", str(hosts.config)) as bench:
            name = f"{count} host{'s' if count > 1 else ''} over SSH"
            rows.append(throughput_row(name, bench, hosts.service(), options.trials, CONCURRENCY))
    if sshd.missing():
        print(f"OPENSSH-SERVER IS NOT INSTALLED: {', '.join(sshd.missing())}")
    if slurm_cluster.missing():
        print(f"SLURM IS NOT INSTALLED: {', '.join(slurm_cluster.missing())}")
    else:
        rows += slurm_rows(options.trials)
    table(["a bash that reports one metric", f"trials a minute, {CONCURRENCY} at once", "ms a trial, one at a time"], rows)


def slurm_rows(trials):
    with slurm_cluster.SlurmCluster(nodes=2, cpus=CONCURRENCY) as cluster:
        for name in ("PATH", "SLURM_CONF"):
            os.environ[name] = cluster.environment()[name]
        with Bench() as bench:
            rows = [throughput_row("Slurm", bench, {"platform": "slurm", "partition": "main"}, trials, CONCURRENCY)]
            rows.append(bare_slurm("bare `sbatch --wait`", trials, CONCURRENCY, cluster, ["sbatch", "--wait", "--output=/dev/null", "--wrap=true"]))
            rows.append(bare_slurm("bare `srun`", trials, CONCURRENCY, cluster, ["srun", "true"]))
    return rows


# ---- adoption --------------------------------------------------------------------------------------------------------------------


def adoption(options):
    """From the start of the new lathed to the moment when it knows every trial's process again."""
    with Bench() as bench:
        client = bench.daemon.client
        gate = bench.folder / "gate"
        code = bench.script(f'while [ ! -e "{gate}" ]; do sleep 1; done\nreport FINAL 0 1\n')
        body = {**config("", maxTrialNumber=options.running, trialConcurrency=options.running), **code}
        experiment = client.create(body)["id"]
        client.wait_trials(experiment, options.running, 120, status="RUNNING")
        before = {trial["id"]: trial["pid"] for trial in wait_pids(client, experiment, options.running)}
        bench.daemon.kill()
        begin = time.perf_counter()
        bench.daemon.start()
        healthy = time.perf_counter() - begin
        client = bench.daemon.client
        after = {trial["id"]: trial["pid"] for trial in wait_pids(client, experiment, options.running)}
        adopted = time.perf_counter() - begin
        gate.touch()
        client.wait_status(experiment, "DONE", 120)
        trials = client.trials(experiment)
        rows = [["the new lathed answers", f"{1e3 * healthy:.0f} ms"], [f"all {options.running} trials are adopted", f"{1e3 * adopted:.0f} ms"],
                ["of them with the same process as before", str(sum(after[one] == pid for one, pid in before.items()))],
                ["that succeeded in their first attempt", str(sum(trial["status"] == "SUCCEEDED" and trial["attempt"] == 0 for trial in trials))]]
        table(["after kill -9 of lathed", ""], rows)


def wait_pids(client, experiment, count):
    def known():
        trials = [trial for trial in client.trials(experiment, status="RUNNING") if trial.get("pid")]
        return trials if len(trials) == count else None

    return wait_for(known, "all processes are known", 120)


# ---- many agents -----------------------------------------------------------------------------------------------------------------


def cpu_seconds(pid):
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / TICKS


def resident_mib(pid):
    status = Path(f"/proc/{pid}/status").read_text()
    return int(status.partition("VmRSS:")[2].split()[0]) / 1024


def many_agents(options):
    """A trial on each host reports now and then what time it is."""
    reports = 5
    with tempfile.TemporaryDirectory(prefix="lathe-bench-ssh-", ignore_cleanup_errors=True) as folder:
        ssh = Path(folder, "ssh")
        ssh.write_text(FAKE_SSH.format(homes=folder))
        ssh.chmod(0o755)
        os.environ["PATH"] = f"{folder}:{os.environ['PATH']}"
        with Bench() as bench:
            daemon = bench.daemon
            service = {"platform": "remote", "machineList": [{"host": "127.0.0.1", "port": 10000 + i, "user": "bench", "slots": 1}
                                                            for i in range(options.agents)]}
            code = bench.script(f"for i in $(seq {reports}); do sleep 20; report PERIODICAL $i $(date +%s.%N); done\nreport FINAL 0 1\n")
            begin, idle = time.perf_counter(), resident_mib(daemon.process.pid)
            body = {**config("", maxTrialNumber=options.agents, trialConcurrency=options.agents, trainingService=service), **code}
            experiment = daemon.client.create(body)["id"]
            daemon.client.wait_trials(experiment, options.agents, 1800, status="RUNNING")
            connected = time.perf_counter() - begin
            rows = [["all connected, agent brought there, trials running", f"{connected:.1f} s"],
                    ["resident memory before, then", f"{idle:.1f} MiB, {resident_mib(daemon.process.pid):.1f} MiB"]]
            rows += heard(daemon, experiment, options.agents * reports)
            table([f"one lathed, {options.agents:,} agents", ""], rows)


class Ages(EventReader):
    """How old each report is when its event comes."""

    def __init__(self, client, path):
        self.seconds = []
        super().__init__(client, path)

    def _put(self, event):
        if event["kind"] == "metric" and event["data"]["type"] == "PERIODICAL":
            self.seconds.append(time.time() - float(event["data"]["value"]))


def heard(daemon, experiment, most):
    """Reads the experiment's events until it is DONE."""
    pid = daemon.process.pid
    with Ages(daemon.client, f"experiments/{experiment}/events") as ages:
        busy, begin = cpu_seconds(pid), time.perf_counter()
        daemon.client.wait_status(experiment, "DONE", 1800)
        share = (cpu_seconds(pid) - busy) / (time.perf_counter() - begin)
    seconds = sorted(ages.seconds)
    return [["reports heard of", f"{len(seconds):,} of {most:,}"],
            ["age of a report when its event comes, median", f"{1e3 * statistics.median(seconds):.0f} ms"],
            ["p99", f"{1e3 * seconds[int(0.99 * (len(seconds) - 1))]:.0f} ms"],
            ["one processor's share that lathed needs meanwhile", f"{100 * share:.1f} %"]]


def main():
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parts = {"throughput": throughput, "adoption": adoption, "agents": many_agents}
    parser.add_argument("parts", nargs="*", metavar="PART", help=f"of {', '.join(parts)}; default: all")
    parser.add_argument("--trials", type=int, default=200)
    parser.add_argument("--running", type=int, default=100, help="trials that are adopted")
    parser.add_argument("--agents", type=int, default=1000)
    options = parser.parse_args()
    unknown = set(options.parts) - set(parts)
    if unknown:
        parser.error(f"no part {', '.join(sorted(unknown))}")
    for name in options.parts or parts:
        parts[name](options)


if __name__ == "__main__":
    main()
