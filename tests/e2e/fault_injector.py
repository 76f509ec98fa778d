"""Runs experiments while it kills, at moments drawn from a seed, whatever may die, and says what does not hold afterwards.

What dies: the daemon, agents, links to hosts, trials, and the keepers between agents and trials. What has to hold after each
round: every trial of the experiment is there and has ended once; it failed only if it was killed; it has each of its metrics
once; no process is left of it; every slot can be filled again; the tuner has gone on as if nothing had happened.
"""

import collections
import os
import random
import signal
import sqlite3
import time
from pathlib import Path

from harness import PATIENCE, processes_marked, wait_for

INTERMEDIATE = 3

TRIAL = """
json() { printf '{"parameter_id": %s, "trial_job_id": "%s", "type": "%s", "sequence": %s, "value": "%s"}' \\
  "$NNI_TRIAL_SEQ_ID" "$NNI_TRIAL_JOB_ID" "$1" "$2" "$3"; }
report() { local text=$(json "$@"); printf 'ME%06d%s\\n' $((${#text} + 1)) "$text" >>"$NNI_SYS_DIR/.nni/metrics"; }
echo "$NNI_TRIAL_JOB_ID" >>RUNS
for i in 0 1 2; do report PERIODICAL $i $((100 * NNI_TRIAL_SEQ_ID + i)); sleep 0.0$((NNI_TRIAL_SEQ_ID * 7 % 10)); done
report FINAL 0 $NNI_TRIAL_SEQ_ID
"""


class Process:
    """A process of the test's, as /proc shows it. `start` tells it from a later one of the same number."""

    def __init__(self, pid):
        self.pid = int(pid)
        self.name = Path(f"/proc/{pid}/comm").read_text().strip()
        fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
        self.parent, self.start = int(fields[1]), int(fields[19])
        self.words = Path(f"/proc/{pid}/cmdline").read_bytes().decode(errors="replace").split("\0")
        variables = Path(f"/proc/{pid}/environ").read_bytes().decode(errors="replace").split("\0")
        self.environment = dict(variable.split("=", 1) for variable in variables if "=" in variable)

    @property
    def trial(self):
        return self.environment.get("NNI_TRIAL_JOB_ID")

    @property
    def is_agent(self):
        """Not a fork of one, nor the link that has started it, whose words it has: the pid in the state folder's lock is its own."""
        if "--state-dir" not in self.words:
            return False
        folder = self.words[self.words.index("--state-dir") + 1]
        if folder.startswith("~/"):
            folder = self.environment.get("HOME", "") + folder[1:]
        try:
            return int((Path(folder) / "lock").read_text().split()[0]) == self.pid
        except (OSError, ValueError, IndexError):
            return False

    @property
    def is_link(self):
        """It does nothing but join a host to the daemon."""
        is_session = self.words[0].startswith("sshd: ") and "[listener]" not in self.words[0]
        return self.name == "ssh" or is_session or self.is_far_end

    @property
    def is_far_end(self):
        """What a session has started. An agent and its forks have the same words, but no session for a parent."""
        try:
            is_in_session = Path(f"/proc/{self.parent}/comm").read_text().startswith("sshd")
        except OSError:
            is_in_session = False
        return is_in_session and bool({"--attach", "--files"} & set(self.words))

    def kill(self):
        """False: it has ended before."""
        try:
            if Process(self.pid).start != self.start:
                return False
            os.kill(self.pid, signal.SIGKILL)
            return True
        except (OSError, IndexError):
            return False


def processes_of(folders):
    """Every process that has one of the folders in its command line or its environment."""
    found = {}
    for folder in folders:
        for pid in processes_marked(str(folder)):
            try:
                found[pid] = Process(pid)
            except (OSError, IndexError):
                continue
    return [found[pid] for pid in sorted(found)]


class FaultInjector:
    def __init__(self, daemon, folders, service, slots, seed=0):
        """`service`: trainingService of the experiments; `slots`: how many trials it can run at once. Everything that is
        killed has one of the folders in its command line or environment; files of the test go into the first."""
        self.daemon, self.folders, self.folder = daemon, [str(folder) for folder in folders], Path(folders[0])
        self.service, self.slots, self.seed = service, slots, seed
        self.faults = {"lathed": self._kill_daemon, "agent": self._kill_agent, "link": self._cut_link, "trial": self._kill_trial,
                       "keeper": self._kill_keeper}
        self.parameters = None  # of an experiment, the same in each round

    # ---- a round -----------------------------------------------------------------------------------------------------

    def round(self, number, trials, pause=0.4):
        """Runs an experiment through a series of faults; what came of it. `pause`: seconds between two faults, on average."""
        chance = random.Random(f"{self.seed}-{number}")
        self.killed, counts, began = set(), collections.Counter(), time.monotonic()
        runs = self.folder / f"runs-{number}"
        experiment = self.daemon.client.create(self._config(f"round-{number}", TRIAL.replace("RUNS", str(runs)), trials, self.slots))["id"]
        while self._status(experiment) not in ("DONE", "ERROR", "STOPPED"):
            time.sleep(chance.expovariate(1 / pause))
            name = chance.choice(list(self.faults))
            counts[name] += self.faults[name](chance)
            if time.monotonic() - began > PATIENCE * (60 + trials):
                raise AssertionError(f"round {number} does not end: {self._standstill(experiment)}")
        problems, summary = self._examine(experiment, trials, runs)
        return {"round": number, "seconds": time.monotonic() - began, **{name: counts[name] for name in self.faults}, **summary,
                "problems": problems}

    def _config(self, name, body, trials, concurrency):
        code = self.folder / f"code-{name}"
        code.mkdir(exist_ok=True)
        (code / "trial.sh").write_text(body)
        return {"experimentName": name, "searchSpace": {"x": {"_type": "uniform", "_value": [0, 1]}}, "trialCommand": "bash trial.sh",
                "trialCodeDirectory": str(code), "trialConcurrency": concurrency, "maxTrialNumber": trials, "maxRetries": {"lost": 100},
                "tuner": {"name": "Random", "classArgs": {"seed": 7}}, "trainingService": self.service}

    def _status(self, experiment):
        return self.daemon.client.experiment(experiment)["status"]

    def _standstill(self, experiment):
        client = self.daemon.client
        live = [trial for trial in client.trials(experiment) if trial["status"] in ("WAITING", "RUNNING")]
        return {"counts": client.experiment(experiment)["counts"], "hosts": client.get("hosts")["items"],
                "trials": [(trial["sequence"], trial["status"], trial["attempt"], trial.get("waitReason")) for trial in live[:5]]}

    # ---- faults: 1 when something was killed ---------------------------------------------------------------------------

    def _kill_daemon(self, chance):
        self.daemon.kill()
        time.sleep(chance.choice([0, 0, 0.3]))
        self.daemon.start()
        return 1

    def _processes(self):
        return processes_of(self.folders)

    def _kill_one(self, chance, wanted):
        found = [process for process in self._processes() if wanted(process)]
        return int(bool(found) and chance.choice(found).kill())

    def _kill_agent(self, chance):
        return self._kill_one(chance, lambda process: process.is_agent)

    def _cut_link(self, chance):
        return self._kill_one(chance, lambda process: process.is_link)

    def _kill_trial(self, chance):
        processes = self._processes()
        keepers = {process.pid for process in processes if process.name == "lathe-keeper"}
        leaders = [process for process in processes if process.trial and process.parent in keepers]
        if not leaders:
            return 0
        victim = chance.choice(leaders)
        self.killed.add(victim.trial)
        return int(victim.kill())

    def _kill_keeper(self, chance):
        return self._kill_one(chance, lambda process: process.name == "lathe-keeper")

    # ---- what has to hold --------------------------------------------------------------------------------------------

    def _examine(self, experiment, count, runs):
        client, problems = self.daemon.client, []
        if (status := self._status(experiment)) != "DONE":
            problems.append(f"the experiment is {status}")
        trials = client.trials(experiment)
        if [trial["sequence"] for trial in trials] != list(range(count)):
            problems.append(f"the trials are {[trial['sequence'] for trial in trials]}")
        started = collections.Counter(runs.read_text().split())
        for trial in trials:
            problems += [f"trial {trial['sequence']}: {problem}" for problem in self._problems_of(experiment, trial, started[trial["id"]])]
        parameters = [trial["parameters"] for trial in trials]
        if self.parameters not in (None, parameters):
            problems.append("the tuner has suggested other parameters than in the round before")
        self.parameters = parameters
        orphans = self._orphans()
        problems += [f"process {process.pid} ({' '.join(process.words)}) is left" for process in orphans]
        problems += self._slots_left() + self._database_problems()
        return problems, {"succeeded": sum(trial["status"] == "SUCCEEDED" for trial in trials),
                          "failed": sum(trial["status"] == "FAILED" for trial in trials),
                          "reruns": sum(trial["attempt"] for trial in trials), "orphans": len(orphans)}

    def _problems_of(self, experiment, trial, started):
        was_killed = trial["id"] in self.killed
        if trial["status"] != "SUCCEEDED" and not (was_killed and trial["status"] == "FAILED" and trial.get("signal") == 9):
            yield f"is {trial['status']}, {'and was killed' if was_killed else 'but was not killed'}: {trial.get('reason')}"
        if trial.get("note"):
            yield f"note: {trial['note']}"
        if not started <= trial["attempt"] + 1 or (trial["status"] == "SUCCEEDED" and started == 0):
            yield f"was started {started} times in {trial['attempt'] + 1} attempts"
        earlier = self.daemon.client.get(f"experiments/{experiment}/trials/{trial['id']}").get("attempts", [])
        if [attempt["attempt"] for attempt in earlier] != list(range(trial["attempt"])):
            yield f"is at attempt {trial['attempt']}, with {earlier} on record"
        metrics = [(metric["type"], metric["sequence"], float(metric["value"])) for metric in self.daemon.client.metrics(experiment, trial["id"])]
        expected = [("PERIODICAL", i, 100.0 * trial["sequence"] + i) for i in range(INTERMEDIATE)] + [("FINAL", 0, float(trial["sequence"]))]
        if trial["status"] == "SUCCEEDED":
            if sorted(metrics) != sorted(expected) or trial.get("metric") != trial["sequence"]:
                yield f"has metrics {metrics} and the final one {trial.get('metric')}"
        elif len(set(metrics)) != len(metrics) or not set(metrics) <= set(expected):
            yield f"has metrics {metrics}"
        if trial["intermediateCount"] != sum(kind == "PERIODICAL" for kind, _, _ in metrics):
            yield f"has counted {trial['intermediateCount']} intermediate metrics of {metrics}"

    def _orphans(self):
        """What is left of trials; it may take a moment to go."""
        def left():
            return [process for process in self._processes() if process.trial or process.name == "lathe-keeper"]

        deadline = time.monotonic() + 5
        while left() and time.monotonic() < deadline:
            time.sleep(0.05)
        return left()

    def _slots_left(self):
        """An experiment that fills all slots at once."""
        gate, client = self.folder / "gate", self.daemon.client
        gate.unlink(missing_ok=True)
        experiment = client.create(self._config("probe", f"while [ ! -e {gate} ]; do sleep 0.02; done\n", self.slots, self.slots))["id"]
        try:
            wait_for(lambda: sum(trial.get("pid") is not None for trial in client.trials(experiment)) == self.slots, "all slots are in use", 30)
            problems = []
        except AssertionError:
            waiting = {trial.get("waitReason") for trial in client.trials(experiment) if trial["status"] == "WAITING"}
            problems = [f"not all of {self.slots} slots can be filled: {waiting}"]
        gate.touch()
        client.wait_status(experiment, "DONE", 30)
        return problems

    def _database_problems(self):
        connection = sqlite3.connect(f"file:{self.daemon.data / 'lathe.sqlite'}?mode=ro", uri=True)
        try:
            answer = connection.execute("PRAGMA integrity_check").fetchall()
        finally:
            connection.close()
        return [] if answer == [("ok",)] else [f"the database is damaged: {answer}"]


COLUMNS = ("round", "seconds", "lathed", "agent", "link", "trial", "keeper", "succeeded", "failed", "reruns", "orphans", "problems")


def header():
    return " ".join(f"{name:>9}" for name in COLUMNS)


def line(result):
    values = {**result, "seconds": f"{result['seconds']:.1f}", "problems": len(result["problems"])}
    return " ".join(f"{values[name]:>9}" for name in COLUMNS)
