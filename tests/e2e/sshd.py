"""Machines to reach by SSH: sshd on loopback ports, or behind lines of bad_network.py, each with a host key, an authorized key and a
home folder of its own.

    with SshHosts(3) as hosts:
        subprocess.run(["ssh", "-F", hosts.config, "-p", str(hosts[0].port), "127.0.0.1", "true"])

They run as whoever the tests run as, root or not, and what runs on one knows it by LATHE_E2E_HOST. Needs the Debian package
openssh-server; `missing()` says what is not there.
"""

import getpass
import os
import shutil
import signal
import socket
import subprocess
import tempfile
import time
import uuid
from pathlib import Path

from harness import PATIENCE, is_alive, processes_marked, wait_for

PROGRAMS = ("sshd", "ssh", "ssh-keygen")
PATH = os.pathsep.join([os.environ.get("PATH", ""), "/usr/local/sbin", "/usr/sbin", "/sbin"])
PRIVILEGE_SEPARATION = Path("/run/sshd")  # sshd insists on it when root starts it

CONFIG = """
Port {port}
ListenAddress {address}
HostKey {folder}/host_key
AuthorizedKeysFile {folder}/authorized_keys
PidFile none
StrictModes no
UsePAM no
PermitRootLogin yes
PasswordAuthentication no
KbdInteractiveAuthentication no
PrintMotd no
SetEnv HOME={home} LATHE_E2E_HOST={name} LATHE_E2E_HOST_MARK={mark} {environment}
"""


def missing():
    """Programs that are needed and not installed."""
    return [name for name in PROGRAMS if shutil.which(name, path=PATH) is None]


def find(name):
    return shutil.which(name, path=PATH)


def make_key(file, passphrase=""):
    subprocess.run([find("ssh-keygen"), "-q", "-t", "ed25519", "-N", passphrase, "-C", "e2e", "-f", str(file)], check=True)


_given_ports = set()


def free_port():
    """None is given twice: nobody may listen at it yet when the next one is asked for."""
    while True:
        with socket.socket() as opened:
            opened.bind(("127.0.0.1", 0))
            port = opened.getsockname()[1]
        if port not in _given_ports:
            _given_ports.add(port)
            return port


class Loopback:
    """Where machines are unless a test gives them lines (bad_network.Line) of their own."""

    address = "127.0.0.1"
    start = staticmethod(subprocess.Popen)


class SshHost:
    """One machine. Its name in experiments is `name`: user, address and port."""

    def __init__(self, folder, user_key, line=Loopback, environment=None):
        self.folder, self.mark, self.port, self.line = folder, f"host-{uuid.uuid4().hex}", free_port(), line
        self.home = folder / "home"
        self.home.mkdir(parents=True)
        self.user = getpass.getuser()
        self.name = f"{self.user}@{line.address}:{self.port}"
        self.process = None
        make_key(folder / "host_key")
        self.authorize(user_key)
        (folder / "sshd_config").write_text(CONFIG.format(port=self.port, address=line.address, folder=folder, home=self.home,
                                                          name=self.name, mark=self.mark,
                                                          environment=" ".join(f"{k}={v}" for k, v in (environment or {}).items())))

    def authorize(self, key):
        with open(self.folder / "authorized_keys", "a") as keys:
            keys.write(key.with_suffix(".pub").read_text())

    def new_host_key(self):
        for file in self.folder.glob("host_key*"):
            file.unlink()
        make_key(self.folder / "host_key")

    @property
    def known(self):
        """Its line of known_hosts."""
        return f"[{self.line.address}]:{self.port} " + " ".join((self.folder / "host_key.pub").read_text().split()[:2]) + "\n"

    def machine(self, **more):
        """As machineList has it."""
        return {"host": self.line.address, "port": self.port, "user": self.user, **more}

    # ---- life --------------------------------------------------------------------------------------------------------

    def start(self):
        with open(self.folder / "sshd.log", "ab") as log:
            self.process = self.line.start([find("sshd"), "-D", "-e", "-f", str(self.folder / "sshd_config")], stdin=subprocess.DEVNULL,
                                           stdout=log, stderr=log, start_new_session=True, env={"PATH": PATH})
        wait_for(self._answers, f"sshd listens on {self.port}", 10)
        return self

    def _answers(self):
        if self.process.poll() is not None:
            raise AssertionError("sshd ended:\n" + (self.folder / "sshd.log").read_text())
        with socket.socket() as client:
            return client.connect_ex((self.line.address, self.port)) == 0

    def processes(self):
        """What sessions have started there: the agent, keepers and trials; not sshd, which overwrites its environment."""
        return processes_marked(self.mark)

    def sessions(self):
        """The processes of sshd, one or two a connection."""
        if self.process is None:
            return []
        parents = {}
        for entry in Path("/proc").iterdir():
            if entry.name.isdigit():
                try:
                    parents[int(entry.name)] = int((entry / "stat").read_text().rpartition(")")[2].split()[1])
                except OSError:
                    pass
        found, latest = [], [self.process.pid]
        while latest:
            latest = [pid for pid, parent in parents.items() if parent in latest and _is_sshd(pid)]
            found += latest
        return found

    def agents(self):
        pids = [int(lock.read_text().split()[0]) for lock in self.home.glob(".lathe/*/lock") if lock.read_text().strip()]
        return [pid for pid in pids if is_alive(pid)]

    def cut_connections(self):
        """Ends the sessions; what they started goes on."""
        for pid in self.sessions():
            _kill(pid)

    def stop_sshd(self):
        """Nobody gets there any more, and connections end; what they started goes on."""
        if self.process is not None:
            sessions = self.sessions()
            self.process.kill()
            self.process.wait(10)
            for pid in sessions:
                _kill(pid)

    def power_off(self):
        """Everything that runs there dies at once."""
        self.stop_sshd()
        deadline = time.monotonic() + 10 * PATIENCE
        while found := self.processes():
            for pid in found:
                _kill(pid)
            if time.monotonic() > deadline:
                raise AssertionError(f"cannot end {found}")
            time.sleep(0.02)


class SshHosts:
    def __init__(self, count, lines=None, environment=None):
        """`lines`: where each machine is. `environment`: further variables of what runs on them, without spaces."""
        self.folder = Path(tempfile.mkdtemp(prefix="lathe-ssh-"))
        self.key = self.folder / "user_key"
        make_key(self.key)
        self.hosts = [SshHost(self._made(f"host{i}"), self.key, line, environment)
                      for i, line in enumerate(lines or [Loopback] * count)]
        self.known_hosts = self.folder / "known_hosts"
        self.config = self.folder / "ssh_config"
        self._made_separation = False

    def _made(self, name):
        folder = self.folder / name
        folder.mkdir()
        return folder

    def __getitem__(self, index):
        return self.hosts[index]

    def __iter__(self):
        return iter(self.hosts)

    def __enter__(self):
        try:
            return self.start()
        except BaseException:
            self.stop()
            raise

    def __exit__(self, *_):
        self.stop()

    def start(self):
        if os.geteuid() == 0 and not PRIVILEGE_SEPARATION.exists():
            PRIVILEGE_SEPARATION.mkdir(mode=0o755)
            self._made_separation = True
        self.trust(*self.hosts)
        self.config.write_text(f"Host *\n  IdentityFile {self.key}\n  IdentitiesOnly yes\n  UserKnownHostsFile {self.known_hosts}\n"
                               "  GlobalKnownHostsFile /dev/null\n  StrictHostKeyChecking ask\n")
        for host in self.hosts:
            host.start()
        return self

    def trust(self, *hosts):
        """From now on these host keys are known, and no others."""
        self.known_hosts.write_text("".join(host.known for host in hosts))

    def service(self, **more):
        return {"platform": "remote", "machineList": [host.machine(**more) for host in self.hosts]}

    def stop(self):
        for host in self.hosts:
            host.power_off()
        if self._made_separation:
            PRIVILEGE_SEPARATION.rmdir()
        shutil.rmtree(self.folder, ignore_errors=True)


def _is_sshd(pid):
    try:
        return os.path.basename(os.readlink(f"/proc/{pid}/exe")).startswith("sshd")
    except OSError:
        return False


def _kill(pid):
    try:
        os.kill(pid, signal.SIGKILL)
    except ProcessLookupError:
        pass
