"""A private Slurm cluster on loopback ports: munged, slurmctld and a few slurmd in a folder of their own.

    with SlurmCluster() as cluster:
        subprocess.run(["squeue"], env=cluster.environment())

Runs as whoever the tests run as, root or not, and touches nothing of the machine's own Slurm. Needs the Debian packages
slurmctld, slurmd, slurm-client and munge; `missing()` says what is not there.
"""

import getpass
import os
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
from pathlib import Path

PATIENCE = float(os.environ.get("LATHE_E2E_PATIENCE", "1"))
PROGRAMS = ("munged", "slurmctld", "slurmd", "sbatch", "squeue", "scancel", "scontrol", "sinfo")
PATH = os.pathsep.join([os.environ.get("PATH", ""), "/usr/local/sbin", "/usr/sbin", "/sbin"])

CONFIG = """
ClusterName=lathe
SlurmctldHost=localhost(127.0.0.1)
SlurmUser={user}
SlurmdUser={user}
SlurmctldPort={controller_port}
SlurmdPort={first_port}
AuthType=auth/munge
CredType=cred/munge
AuthInfo=socket={folder}/munge/socket
StateSaveLocation={folder}/state
SlurmdSpoolDir={folder}/spool-%n
SlurmctldPidFile={folder}/slurmctld.pid
SlurmdPidFile={folder}/slurmd-%n.pid
SlurmctldLogFile={folder}/slurmctld.log
SlurmdLogFile={folder}/slurmd-%n.log
ProctrackType=proctrack/linuxproc
TaskPlugin=task/none
JobAcctGatherType=jobacct_gather/none
AccountingStorageType=accounting_storage/none
SelectType=select/cons_tres
SelectTypeParameters=CR_CPU
SwitchType=switch/none
MpiDefault=none
SchedulerType=sched/backfill
SchedulerParameters=batch_sched_delay=0,sched_min_interval=100000
ReturnToService={return_to_service}
KillWait={kill_wait}
MinJobAge={min_job_age}
MessageTimeout=5
SlurmctldTimeout=30
SlurmdTimeout={node_timeout}
{settings}
{nodes}
PartitionName=main Nodes=ALL Default=YES MaxTime=INFINITE State=UP
"""


def missing():
    """Programs that are needed and not installed."""
    return [name for name in PROGRAMS if shutil.which(name, path=PATH) is None]


def free_ports(count):
    """Ports of the loopback address that nobody listens on at the moment."""
    sockets = [socket.socket() for _ in range(count)]
    try:
        for opened in sockets:
            opened.bind(("127.0.0.1", 0))
        return [opened.getsockname()[1] for opened in sockets]
    finally:
        for opened in sockets:
            opened.close()


class SlurmCluster:
    def __init__(self, nodes=2, cpus=4, settings="", kill_wait=2, min_job_age=300, node_timeout=60, return_to_service=2):
        """`settings`: further lines of slurm.conf; `node_timeout`: seconds until a silent node is down. With
        `return_to_service` 2 a node is up again as soon as it registers, with 1 not if somebody has set it down."""
        self.nodes = [f"node{i}" for i in range(nodes)]
        self.cpus, self.settings, self.kill_wait = cpus, settings, kill_wait
        self.min_job_age, self.node_timeout, self.return_to_service = min_job_age, node_timeout, return_to_service
        self.folder = Path(tempfile.mkdtemp(prefix="lathe-slurm-"))
        self.config = self.folder / "slurm.conf"
        self.processes = {}

    def __enter__(self):
        try:
            return self.start()
        except BaseException:
            self.stop()
            raise

    def __exit__(self, *_):
        self.stop()

    # ---- life --------------------------------------------------------------------------------------------------------

    def start(self, seconds=30.0):
        self._write_config()
        self._start_munge()
        self.start_controller()
        for node in self.nodes:
            self.start_node(node)
        self._wait(self._is_idle, "all nodes are idle", seconds)
        return self

    def stop(self):
        for name in [*self.nodes, "slurmctld", "munged"]:
            self._end(name)
        self._end_steps()
        shutil.rmtree(self.folder, ignore_errors=True)

    def start_controller(self):
        self._launch("slurmctld", ["slurmctld", "-D"])
        self._wait(lambda: self.run("scontrol", "ping", check=False).returncode == 0, "slurmctld answers", 20)

    def stop_controller(self):
        self._end("slurmctld")

    def kill_controller(self):
        self._end("slurmctld", signal.SIGKILL)

    def start_node(self, node):
        self._launch(node, ["slurmd", "-D", "-N", node])

    def kill_node(self, node):
        """Its slurmd and whatever runs there die, as when a machine loses its power: nothing has time to tell of it."""
        tasks = [pid for pid in self._marked_processes() if f"SLURMD_NODENAME={node}".encode() in _words(pid, "environ")]
        parents = {int(Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[1]) for pid in tasks}
        steps = [pid for pid in parents if _words(pid, "cmdline")[0].startswith(b"slurmstepd")]
        for pid in (*steps, self.processes[node].pid, *tasks):  # who would report goes first
            os.kill(pid, signal.SIGKILL)
        self._end(node)

    def has_saved(self, word):
        """Whether the controller's state on disk, which it writes every few seconds, mentions a job of that comment."""
        file = self.folder / "state" / "job_state"
        return file.exists() and word.encode() in file.read_bytes()

    def save_state(self):
        """A copy of the controller's state, for forget_since()."""
        return shutil.copytree(self.folder / "state", self.folder / "saved", dirs_exist_ok=True)

    def forget_since(self, saved):
        """To a controller that does not run: what has happened since save_state()."""
        shutil.rmtree(self.folder / "state")
        shutil.move(saved, self.folder / "state")

    # ---- use ---------------------------------------------------------------------------------------------------------

    def environment(self):
        """What a program needs to reach this cluster, added to this process's own environment."""
        environment = {name: value for name, value in os.environ.items() if not name.startswith(("SLURM", "SBATCH", "SQUEUE"))}
        return {**environment, "PATH": PATH, "SLURM_CONF": str(self.config)}

    def run(self, *command, check=True):
        return subprocess.run(command, env=self.environment(), check=check, capture_output=True, text=True, timeout=30 * PATIENCE)

    def output(self, *command):
        return self.run(*command).stdout

    def jobs(self):
        """[{id, state, comment}] of all jobs that the controller remembers, oldest first."""
        lines = self.output("squeue", "--noheader", "--array", "--states=all", "--sort=i", "--format=%i|%T|%k").splitlines()
        return [dict(zip(("id", "state", "comment"), line.strip().split("|"))) for line in lines]

    def log(self):
        """The ends of all logs, for the message of a test that fails."""
        return "\n".join(f"== {file.name}\n{file.read_text(errors='replace')[-3000:]}" for file in sorted(self.folder.glob("*.log")))

    # ---- parts -------------------------------------------------------------------------------------------------------

    def _write_config(self):
        ports = free_ports(1 + len(self.nodes))
        nodes = "\n".join(f"NodeName={name} NodeAddr=127.0.0.1 NodeHostname=localhost Port={port} CPUs={self.cpus} RealMemory=1000"
                          for name, port in zip(self.nodes, ports[1:]))
        for name in ("state", "munge", *(f"spool-{node}" for node in self.nodes)):
            (self.folder / name).mkdir(mode=0o700)
        self.config.write_text(CONFIG.format(user=getpass.getuser(), folder=self.folder, controller_port=ports[0], first_port=ports[1],
                                             kill_wait=self.kill_wait, min_job_age=self.min_job_age, node_timeout=self.node_timeout,
                                             return_to_service=self.return_to_service, settings=self.settings, nodes=nodes))
        # More CPUs and memory than the machine has are fine here, and no control group is to be touched.
        with self.config.open("a") as config:
            config.write("SlurmdParameters=config_overrides\n")
        (self.folder / "cgroup.conf").write_text("IgnoreSystemd=yes\n")

    def _start_munge(self):
        folder = self.folder / "munge"
        key = folder / "key"
        key.touch(mode=0o600)
        key.write_bytes(os.urandom(128))
        self._launch("munged", ["munged", "--foreground", "--force", f"--key-file={key}", f"--socket={folder}/socket",
                                f"--pid-file={folder}/pid", f"--seed-file={folder}/seed", f"--log-file={folder}/log"])
        self._wait((folder / "socket").exists, "munged listens", 10)
        os.chmod(folder, 0o755)

    def _launch(self, name, command):
        with open(self.folder / f"{name}.out.log", "ab") as out:
            self.processes[name] = subprocess.Popen(command, env=self.environment(), stdin=subprocess.DEVNULL, stdout=out, stderr=out,
                                                    start_new_session=True)

    def _end(self, name, sign=signal.SIGTERM):
        process = self.processes.pop(name, None)
        if process is None:
            return
        process.send_signal(sign)
        try:
            process.wait(5 * PATIENCE)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()

    def _end_steps(self):
        """Step daemons and jobs outlive their slurmd; all of them carry this cluster's configuration in their environment."""
        for pid in self._marked_processes():
            try:
                os.kill(pid, signal.SIGKILL)
            except ProcessLookupError:
                continue

    def _marked_processes(self):
        mark, found = f"SLURM_CONF={self.config}".encode(), []
        for entry in Path("/proc").iterdir():
            if not entry.name.isdigit() or int(entry.name) == os.getpid():
                continue
            if mark in _words(entry.name, "environ"):
                found.append(int(entry.name))
        return found

    def _is_idle(self):
        states = self.run("sinfo", "--noheader", "--Node", "--format=%T", check=False).stdout.split()
        return len(states) == len(self.nodes) and set(states) == {"idle"}

    def _wait(self, condition, what, seconds):
        deadline = time.monotonic() + seconds * PATIENCE
        while not condition():
            ended = [name for name, process in self.processes.items() if process.poll() is not None]
            if ended or time.monotonic() > deadline:
                raise AssertionError(f"{what}: not within {seconds * PATIENCE:.0f} s; ended: {ended}\n{self.log()}")
            time.sleep(0.05)


def _words(pid, file):
    """What /proc says of a process, at its zero bytes; one that is no more has said nothing."""
    try:
        return Path(f"/proc/{pid}/{file}").read_bytes().split(b"\0")
    except OSError:
        return [b""]


if __name__ == "__main__":
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))
    with SlurmCluster() as cluster:
        print(f"export SLURM_CONF={cluster.config}", flush=True)
        while True:
            signal.pause()
