"""lathe-agent without a daemon: starts it in a folder, speaks frames with it, keeps what it tells."""

import fcntl
import json
import os
import select
import signal
import socket
import struct
import subprocess
import time
from pathlib import Path

from harness import PATIENCE, Late, is_alive, program


class AgentClient:
    def __init__(self, folder, environment=None):
        self.folder, self.state = Path(folder), Path(folder) / "state"
        self.environment = environment or dict(os.environ)
        self.pid, self.socket, self.buffer = None, None, b""
        self.events, self.notes, self.hello = {}, {}, None

    def start(self):
        """Starts the agent and connects to it; what an earlier agent has told is told again, and counts once."""
        subprocess.run([program("lathe-agent"), "--state-dir", str(self.state), "--idle-exit", "600"], env=self.environment, check=True,
                       timeout=30 * PATIENCE)
        self.connect()
        return self

    def connect(self):
        if self.socket is not None:
            self.socket.close()
        self.socket, self.buffer, self.hello = socket.socket(socket.AF_UNIX), b"", None
        self.socket.connect(str(self.state / "socket"))
        self._wait(lambda: self.hello, "the agent greets", 10)
        self.pid = self.hello["pid"]

    def kill(self):
        """SIGKILL: trials run on."""
        os.kill(self.pid, signal.SIGKILL)
        self._gone()

    def stop(self):
        """SIGTERM: ends the trials, then the agent."""
        if self.pid is not None and is_alive(self.pid):
            self._terminate()
        if self.socket is not None:
            self.socket.close()

    def _terminate(self):
        os.kill(self.pid, signal.SIGTERM)
        deadline = time.monotonic() + 20 * PATIENCE
        while is_alive(self.pid) and time.monotonic() < deadline:
            try:
                self._receive(0.1)
                self.acknowledge()
            except (OSError, EOFError):
                time.sleep(0.05)
        if is_alive(self.pid):
            self.kill()

    def send(self, message):
        text = json.dumps(message).encode()
        self.socket.sendall(struct.pack(">I", len(text)) + text)

    def trial(self, trial_id, command, directives=(), prologue="", **more):
        """Starts a trial as a Slurm job; its folder."""
        directory = self.folder / "trials" / trial_id
        self.send({"type": "start_trial", "trial_id": trial_id, "command": command, "working_directory": str(self.folder),
                   "directory": str(directory), "environment": {"NNI_SYS_DIR": str(directory)}, "parameter_file": '{"parameter_id": 0}',
                   "code_tree": "", "launcher": {"kind": "slurm", "directives": list(directives), "prologue": prologue}, **more})
        return directory

    def kill_trial(self, trial_id, grace_ms=5000):
        self.send({"type": "kill_trial", "trial_id": trial_id, "reason": "user", "grace_ms": grace_ms})

    def acknowledge(self):
        if self.events:
            self.send({"type": "ack", "sequence": max(self.events)})

    def of(self, trial_id, kind):
        return [event for _, event in sorted(self.events.items()) if event["trial_id"] == trial_id and event["type"] == kind]

    def wait_started(self, trial_id, seconds=30):
        return self._wait(lambda: self.of(trial_id, "trial_started"), f"{trial_id} has started", seconds)[0]

    def wait_end(self, trial_id, seconds=30):
        return self._wait(lambda: self.of(trial_id, "trial_exited"), f"{trial_id} has ended", seconds)[0]

    def wait_metrics(self, trial_id, count, seconds=30):
        def enough():
            metrics = [event["payload"] for event in self.of(trial_id, "trial_metric")]
            return metrics if len(metrics) >= count else None

        return self._wait(enough, f"{count} metrics of {trial_id}", seconds)

    def wait_note(self, trial_id, text, seconds=30):
        def told():
            note = self.notes.get(trial_id, "")
            return note if text in note else None

        return self._wait(told, f"{trial_id} says {text}, not {self.notes.get(trial_id)}", seconds)

    def wait_until(self, condition, what, seconds=30):
        """Takes in what the agent tells meanwhile."""
        return self._wait(condition, what, seconds)

    def _wait(self, condition, what, seconds):
        deadline = time.monotonic() + seconds * PATIENCE
        while not condition():
            if time.monotonic() > deadline:
                raise Late(f"{what}: not within {seconds * PATIENCE:.0f} s; notes {self.notes}\n{self.log()}")
            self._receive(0.1)
        return condition()

    def _receive(self, seconds):
        if not select.select([self.socket], [], [], seconds)[0]:
            return
        data = self.socket.recv(1 << 16)
        if not data:
            raise EOFError(f"the agent has gone\n{self.log()}")
        self.buffer += data
        while len(self.buffer) >= 4:
            length = struct.unpack(">I", self.buffer[:4])[0]
            if len(self.buffer) < 4 + length:
                return
            self._take(json.loads(self.buffer[4:4 + length]))
            self.buffer = self.buffer[4 + length:]

    def _take(self, message):
        if message["type"] == "hello":
            self.hello = message
        elif message["type"] == "trial_note":
            self.notes[message["trial_id"]] = message["text"]
        elif "sequence" in message:
            self.events[message["sequence"]] = message

    def _gone(self):
        deadline = time.monotonic() + 10 * PATIENCE
        while (is_alive(self.pid) or self._is_locked()) and time.monotonic() < deadline:
            time.sleep(0.02)

    def _is_locked(self):
        """The threads of a process that is killed may keep its lock a moment longer than its main thread lives."""
        with open(self.state / "lock", "r+") as lock:
            try:
                fcntl.lockf(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
                return False
            except OSError:
                return True

    def log(self):
        file = self.state / "agent.log"
        return file.read_text(errors="replace")[-3000:] if file.exists() else ""
