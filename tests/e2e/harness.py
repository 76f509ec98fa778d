"""Starts the real programs on a free port and a folder of their own, talks to them, and leaves nothing behind.

LATHE_BIN names the folder of the programs (default: the newest bin/ below build/). Every wait has a deadline; LATHE_E2E_PATIENCE
stretches all of them by a factor, for slow machines. Tests may run in parallel: each daemon has its own port, folder and mark.
"""

import http.client
import json
import os
import re
import shutil
import signal
import subprocess
import tempfile
import threading
import time
import unittest
import urllib.parse
import uuid
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
PATIENCE = float(os.environ.get("LATHE_E2E_PATIENCE", "1"))
MARK = "LATHE_E2E_MARK"
ENDED = {"DONE", "STOPPED", "ERROR"}
ENDED_TRIAL = {"SUCCEEDED", "FAILED", "USER_CANCELED", "SYS_CANCELED", "EARLY_STOPPED"}


def bin_folder():
    if "LATHE_BIN" in os.environ:
        return Path(os.environ["LATHE_BIN"]).resolve()
    built = sorted(ROOT.glob("build/*/bin/lathed"), key=lambda path: path.stat().st_mtime)
    return built[-1].parent if built else ROOT / "build" / "bin"


BIN = bin_folder()


def program(name):
    return str(BIN / name)


class Late(AssertionError):
    """Something did not happen before its deadline."""


def wait_for(condition, what, seconds=10.0):
    """The first true value of condition(); Late, with the last value, when there is none in time."""
    deadline = time.monotonic() + seconds * PATIENCE
    while True:
        value = condition()
        if value:
            return value
        if time.monotonic() > deadline:
            raise Late(f"{what}: not within {seconds * PATIENCE:.0f} s, last seen {value!r}")
        time.sleep(0.02)


def is_alive(pid):
    """Whether a process runs; a zombie, which only waits to be reaped, does not."""
    try:
        stat = Path(f"/proc/{pid}/stat").read_text()
    except (FileNotFoundError, ProcessLookupError):
        return False
    return stat.rpartition(")")[2].split()[0] != "Z"


def processes_marked(mark):
    """{pid: command line} of every live process whose environment or command line has the mark."""
    found = {}
    for entry in Path("/proc").iterdir():
        if not entry.name.isdigit() or int(entry.name) == os.getpid():
            continue
        try:
            command = (entry / "cmdline").read_bytes()
            environment = (entry / "environ").read_bytes()
        except OSError:
            continue
        if (mark.encode() in environment or mark.encode() in command) and is_alive(entry.name):
            found[int(entry.name)] = command.replace(b"\0", b" ").decode(errors="replace").strip()
    return found


class Response:
    def __init__(self, status, headers, body):
        self.status, self.headers, self.body = status, headers, body

    @property
    def text(self):
        return self.body.decode(errors="replace")

    def json(self):
        return json.loads(self.body)


class Client:
    """REST on one daemon. Methods without `expect` hand back whatever came."""

    def __init__(self, port, timeout=20.0):
        self.port, self.timeout = port, timeout * PATIENCE

    def request(self, method, path, body=None, headers=None, query=None, timeout=None):
        target = path if path.startswith("/") else "/api/v1/" + path
        if query:
            target += "?" + urllib.parse.urlencode(query)
        if isinstance(body, (dict, list)):
            body = json.dumps(body)
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=timeout or self.timeout)
        try:
            connection.request(method, target, body=body, headers=headers or {})
            answer = connection.getresponse()
            return Response(answer.status, dict(answer.getheaders()), answer.read())
        finally:
            connection.close()

    def get(self, path, expect=200, **query):
        answer = self.request("GET", path, query=query)
        assert answer.status == expect, f"GET {path}: {answer.status}, expected {expect}: {answer.text[:2000]}"
        return answer.json()

    def post(self, path, body=None, expect=(200, 201, 202)):
        answer = self.request("POST", path, body=body)
        assert answer.status in expect, f"POST {path}: {answer.status}, expected {expect}: {answer.text[:2000]}"
        return answer.json()

    def patch(self, path, body):
        answer = self.request("PATCH", path, body=body)
        assert answer.status == 200, f"PATCH {path}: {answer.status}: {answer.text[:2000]}"
        return answer.json()

    def create(self, config, directory=None):
        query = "?" + urllib.parse.urlencode({"directory": str(directory)}) if directory else ""
        return self.post("experiments" + query, config, expect=(201,))

    def experiment(self, experiment_id):
        return self.get(f"experiments/{experiment_id}")

    def trials(self, experiment_id, **query):
        """Every trial, over all pages."""
        items, cursor = [], None
        while True:
            page = self.get(f"experiments/{experiment_id}/trials", **query, **({"cursor": cursor} if cursor else {}))
            items += page["items"]
            cursor = page.get("nextCursor")
            if not cursor:
                return items

    def pid(self, experiment_id, trial_id):
        """The process of a trial that has just started, as soon as the daemon knows it."""
        path = f"experiments/{experiment_id}/trials/{trial_id}"
        return wait_for(lambda: self.get(path).get("pid"), f"the process of trial {trial_id} is known")

    def metrics(self, experiment_id, trial_id):
        return self.get(f"experiments/{experiment_id}/trials/{trial_id}/metrics")["items"]

    def wait_status(self, experiment_id, statuses, seconds=20.0):
        wanted = {statuses} if isinstance(statuses, str) else set(statuses)

        def reached():
            experiment = self.experiment(experiment_id)
            if experiment["status"] in ENDED - wanted:
                raise AssertionError(f"{experiment_id} ended {experiment['status']}: {experiment.get('error')}, wanted {wanted}")
            return experiment if experiment["status"] in wanted else None

        return wait_for(reached, f"{experiment_id} becomes {wanted}", seconds)

    def wait_trials(self, experiment_id, count, seconds=15.0, **query):
        """The trials that match, as soon as there are `count` of them."""

        def enough():
            trials = self.trials(experiment_id, **query)
            return trials if len(trials) >= count else None

        return wait_for(enough, f"{count} trials of {experiment_id} with {query}", seconds)


class EventReader:
    """Server-sent events of one stream, read in a thread so that waiting for one has a deadline."""

    def __init__(self, client, path, last_event_id=None):
        self._connection = http.client.HTTPConnection("127.0.0.1", client.port, timeout=60 * PATIENCE)
        headers = {"Accept": "text/event-stream"}
        if last_event_id:
            headers["Last-Event-ID"] = last_event_id
        self._connection.request("GET", "/api/v1/" + path, headers=headers)
        self._answer = self._connection.getresponse()
        assert self._answer.status == 200, self._answer.status
        assert self._answer.getheader("Content-Type", "").startswith("text/event-stream")
        self._events, self._ready, self.closed = [], threading.Condition(), False
        self._thread = threading.Thread(target=self._read, daemon=True)
        self._thread.start()

    def _read(self):
        event = {"id": "", "kind": "message", "data": []}
        try:
            for raw in self._answer:
                line = raw.decode().rstrip("\r\n")
                field, _, value = line.partition(":")
                value = value[1:] if value.startswith(" ") else value
                if field == "data":
                    event["data"].append(value)
                elif field == "event":
                    event["kind"] = value
                elif field == "id":
                    event["id"] = value
                elif not line and event["data"]:
                    self._put({**event, "data": json.loads("\n".join(event["data"]))})
                    event = {"id": event["id"], "kind": "message", "data": []}
        except (OSError, ValueError, AttributeError, http.client.HTTPException):
            pass
        with self._ready:
            self.closed = True
            self._ready.notify_all()

    def _put(self, event):
        with self._ready:
            self._events.append(event)
            self._ready.notify_all()

    def events(self):
        with self._ready:
            return list(self._events)

    def wait(self, condition, what, seconds=10.0):
        """The first event for which condition is true."""
        return wait_for(lambda: next((e for e in self.events() if condition(e)), None), what, seconds)

    def close(self):
        # shutdown() wakes the reader; close() alone would wait for it.
        try:
            self._connection.sock and self._connection.sock.shutdown(2)
        except OSError:
            pass
        self._thread.join(5)
        self._connection.close()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()


class Daemon:
    """One lathed with a data folder of its own."""

    def __init__(self, folder, arguments=()):
        self.folder, self.arguments = Path(folder), list(arguments)
        self.data = self.folder / "data"
        self.mark = f"e2e-{uuid.uuid4().hex}"
        self.process, self.port, self.output = None, None, ""
        self._starts = 0

    def command(self, port=0):
        return [program("lathed"), "--port", str(port), "--data-dir", str(self.data), *self.arguments]

    def environment(self):
        environment = {**os.environ, MARK: self.mark}
        environment.pop("LATHE_URL", None)
        return environment

    def start(self, seconds=15.0):
        self._starts += 1
        self._output_file = self.folder / f"lathed-{self._starts}.out"
        with open(self._output_file, "wb") as out:
            self.process = subprocess.Popen(self.command(), stdin=subprocess.DEVNULL, stdout=out, stderr=out, cwd=self.folder,
                                            env=self.environment(), start_new_session=True)
        self.port = wait_for(self._announced_port, "lathed tells its address", seconds)
        self.client = Client(self.port)
        wait_for(self._is_healthy, "lathed answers /healthz", seconds)
        return self

    def _announced_port(self):
        self.output = self._output_file.read_text(errors="replace")
        if self.process.poll() is not None:
            raise AssertionError(f"lathed ended with {self.process.returncode}:\n{self.output}")
        match = re.search(r"http://127\.0\.0\.1:(\d+)", self.output)
        return int(match.group(1)) if match else None

    def _is_healthy(self):
        try:
            return self.client.request("GET", "/healthz", timeout=2 * PATIENCE).status == 200
        except OSError:
            return False

    @property
    def url(self):
        return f"http://127.0.0.1:{self.port}"

    def terminate(self, seconds=20.0):
        """SIGTERM; the exit code."""
        self.process.send_signal(signal.SIGTERM)
        return self.process.wait(seconds * PATIENCE)

    def kill(self):
        """SIGKILL: only lathed; the agent and its trials go on."""
        self.process.kill()
        self.process.wait(10)

    def processes(self):
        return processes_marked(self.mark)

    def clean_up(self):
        """Ends everything; returns the processes other than the agent that outlived a clean stop."""
        if self.process is not None and self.process.poll() is None:
            try:
                self.terminate()
            except subprocess.TimeoutExpired:
                self.kill()
        deadline = time.monotonic() + 5 * PATIENCE
        while self._trials_left() and time.monotonic() < deadline:
            time.sleep(0.02)
        left = self._trials_left()
        self._kill_all()
        return left

    def _trials_left(self):
        return {pid: command for pid, command in self.processes().items() if "lathe-agent" not in command}

    def _kill_all(self):
        for sign in (signal.SIGTERM, signal.SIGKILL):
            for pid in self.processes():
                try:
                    os.kill(pid, sign)
                except ProcessLookupError:
                    pass
            deadline = time.monotonic() + 3
            while self.processes() and time.monotonic() < deadline:
                time.sleep(0.02)


BASH_REPORT = """
report() {  # type sequence value-as-JSON
  local id json
  id=$(sed -E 's/.*"parameter_id": *([0-9]+).*/\\1/' "$NNI_SYS_DIR/parameter.cfg" | head -n 1)
  json="{\\"parameter_id\\": $id, \\"trial_job_id\\": \\"$NNI_TRIAL_JOB_ID\\", \\"type\\": \\"$1\\", \\"sequence\\": $2, \\"value\\": \\"$3\\"}"
  printf 'ME%06d%s\\n' $((${#json} + 1)) "$json" >> "$NNI_SYS_DIR/.nni/metrics"
}
"""

PYTHON_TRIAL = '''
import json, os, pathlib, sys
folder = pathlib.Path(os.environ["NNI_SYS_DIR"])
record = json.loads((folder / "parameter.cfg").read_text())

def report(kind, sequence, value):
    body = json.dumps({"parameter_id": record["parameter_id"], "trial_job_id": os.environ["NNI_TRIAL_JOB_ID"],
                       "type": kind, "sequence": sequence, "value": json.dumps(value)})
    frame = body.encode() + b"\\n"
    (folder / ".nni").mkdir(exist_ok=True)
    with open(folder / ".nni" / "metrics", "ab") as metrics:
        metrics.write(b"ME%06d" % len(frame) + frame)

parameters = record["parameters"]
'''


def config(command, space=None, **more):
    """A config for a shell-command experiment."""
    return {
        "experimentName": "e2e",
        "searchSpace": space or {"x": {"_type": "uniform", "_value": [0, 1]}},
        "trialCommand": command,
        "trialConcurrency": 2,
        "maxTrialNumber": 4,
        "tuner": {"name": "Random", "classArgs": {"optimize_mode": "maximize", "seed": 7}},
        "trainingService": {"platform": "local"},
        **more,
    }


class LatheTest(unittest.TestCase):
    """A daemon and a scratch folder for the tests of a class; `own_daemon = True` gives each test its own."""

    own_daemon = False
    daemon_arguments = ()

    @classmethod
    def setUpClass(cls):
        if not Path(program("lathed")).exists():
            raise AssertionError(f"{program('lathed')} is not there: build it, or set LATHE_BIN")
        if not cls.own_daemon:
            cls._open()

    @classmethod
    def tearDownClass(cls):
        if not cls.own_daemon:
            cls._close()

    def setUp(self):
        if self.own_daemon:
            type(self)._open()
            self.addCleanup(type(self)._close)
        self.scratch = Path(tempfile.mkdtemp(prefix="scratch-", dir=self.folder))

    @classmethod
    def _open(cls):
        cls.folder = Path(tempfile.mkdtemp(prefix="lathe-e2e-"))
        cls.daemon = Daemon(cls.folder, cls.daemon_arguments)
        try:
            cls.daemon.start()
        except BaseException:
            cls._close()
            raise

    @classmethod
    def _close(cls):
        left = cls.daemon.clean_up()
        still = cls.daemon.processes()
        shutil.rmtree(cls.folder, ignore_errors=True)
        if left or still:
            raise AssertionError(f"processes outlived a clean stop: {left or still}")

    @property
    def client(self):
        return self.daemon.client

    def bash(self, body, **more):
        """A config whose trials run `body` with report() at hand; in the test's scratch folder."""
        script = self.scratch / f"trial-{uuid.uuid4().hex[:8]}.sh"  # a new one: bash reads scripts while they run
        script.write_text(BASH_REPORT + body)
        return config(f"bash {script}", trialCodeDirectory=str(self.scratch), **more)

    def python(self, body, **more):
        script = self.scratch / f"trial-{uuid.uuid4().hex[:8]}.py"
        script.write_text(PYTHON_TRIAL + body)
        return config(f"python3 -S {script}", trialCodeDirectory=str(self.scratch), **more)

    def gated(self, then="report FINAL 0 1", **more):
        """Trials that say where they are by a file `started-ID` and end when the file `gate` appears."""
        return self.bash(f'touch "started-$NNI_TRIAL_JOB_ID"\nwhile [ ! -e gate ]; do sleep 0.05; done\n{then}\n', **more)

    def open_gate(self):
        (self.scratch / "gate").touch()

    def started(self, count):
        """The IDs of gated trials that have started, once there are `count`."""

        def enough():
            ids = [path.name[len("started-"):] for path in self.scratch.glob("started-*")]
            return ids if len(ids) >= count else None

        return wait_for(enough, f"{count} trials have started")

    def run_to(self, body, status="DONE", seconds=30.0):
        """Creates the experiment and waits until it is in `status`; its JSON."""
        return self.client.wait_status(self.client.create(body)["id"], status, seconds)

    def lathectl(self, *arguments, input_text=None, seconds=60.0, environment=None):
        return subprocess.run([program("lathectl"), "--url", self.daemon.url, *arguments], input=input_text or "", capture_output=True,
                              text=True, timeout=seconds * PATIENCE, cwd=self.scratch,
                              env={**self.daemon.environment(), "NO_COLOR": "", **(environment or {})})
