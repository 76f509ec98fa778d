"""Trials forked from a warm parent: whoever dies, each trial runs and counts as one with a process of its own would."""

import os
import shutil
import signal
import subprocess
import unittest
from pathlib import Path

from harness import ENDED, PATIENCE, LatheTest, is_alive, program, wait_for


def command_of(pid):
    try:
        return Path(f"/proc/{pid}/cmdline").read_bytes().replace(b"\0", b" ").decode()
    except OSError:
        return ""


def parent_of(pid):
    return int(Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[1])


class Warm(LatheTest):
    own_daemon = True

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.example = Path(subprocess.run(["mktemp", "-d", "-t", "lathe-e2e-warm-XXXXXX"], capture_output=True, text=True, check=True).stdout.strip())
        cls.addClassCleanup(shutil.rmtree, cls.example, ignore_errors=True)
        subprocess.run([program("lenet-example"), "--directory", str(cls.example), "--epochs", "1"], check=True, capture_output=True,
                       timeout=120 * PATIENCE)

    def create(self, trials, concurrency=1, epochs=1, **compression):
        """An experiment whose trials take as long as `epochs` say."""
        data = self.example / "data"

        def part(name):
            return {"images": str(data / f"{name}-images-idx3-ubyte"), "labels": str(data / f"{name}-labels-idx1-ubyte"), "range": [0, 500]}

        return self.client.create({
            "experimentName": "warm",
            # Points as many as wanted, which all keep half of the filters.
            "searchSpace": {"algorithm": {"_type": "choice", "_value": [{"_name": "l1", "sparsity": {"_type": "uniform", "_value": [0.5, 0.5001]}}]}},
            "trialConcurrency": concurrency, "maxTrialNumber": trials, "tuner": {"name": "Random", "classArgs": {"seed": 1}},
            "trialCodeDirectory": str(self.example),
            "compression": {"model": str(self.example / "lenet.pt"), "inputShape": [1, 1, 28, 28],
                            "data": {"format": "idx", "train": part("train"), "test": part("test")},
                            "finetuning": {"epochs": epochs}, "latency": {"runs": 3, "warmup": 1},
                            "configList": [{"exclude": True, "op_names": ["fc2"]}], **compression},
        })["id"]

    def warm_parents(self):
        """The living processes that trials are forked from: those whose parent is the agent and which have not become a trial."""
        running = {t["pid"] for e in self.client.get("experiments")["items"] for t in self.client.trials(e["id"], status="RUNNING") if t.get("pid")}
        return [pid for pid, command in self.daemon.processes().items() if " serve " in command and "warm.log" not in command and pid not in running]

    def running_fork(self, experiment):
        """A running trial that was forked, and the process it is."""

        def forked():
            for trial in self.client.trials(experiment, status="RUNNING"):
                if trial.get("pid") and " serve " in command_of(trial["pid"]):
                    return trial
            status = self.client.experiment(experiment)["status"]
            assert status not in ENDED, f"the experiment is {status}, and no trial was seen forked: {self.agent_log()}"
            return None

        return wait_for(forked, "a trial is forked from a warm parent", 60)

    def log(self, experiment):
        file = Path(self.client.experiment(experiment)["directory"]) / "warm.log"
        return file.read_text() if file.exists() else ""

    def agent_log(self):
        return (self.daemon.data / "agents" / "local" / "agent.log").read_text()

    def agent(self):
        return int((self.daemon.data / "agents" / "local" / "lock").read_text())

    def assert_each_succeeded_once(self, experiment, count):
        trials = self.client.trials(experiment)
        self.assertEqual([t["sequence"] for t in trials], list(range(count)))
        self.assertEqual({t["status"] for t in trials}, {"SUCCEEDED"}, [t.get("reason") for t in trials])
        for trial in trials:
            finals = [m for m in self.client.metrics(experiment, trial["id"]) if m["type"] == "FINAL"]
            self.assertEqual(len(finals), 1)
        # The same parameters and seed: forked or not, first or later, the outcome is one and the same.
        self.assertEqual(len({(t["finalMetric"]["accuracy"], t["finalMetric"]["loss"], t["finalMetric"]["parameters"]) for t in trials}), 1)
        return trials

    def test_forked_trials_equal_fresh_ones(self):
        experiment = self.create(6, concurrency=2)
        warm = self.running_fork(experiment)
        self.assertIn("--keep", command_of(parent_of(warm["pid"])))
        self.assertEqual(os.getpgid(warm["pid"]), warm["pid"])
        self.client.wait_status(experiment, "DONE", 120)
        self.assert_each_succeeded_once(experiment, 6)
        self.assertEqual(self.log(experiment).count("is warm"), 1)
        text = (Path(warm["directory"]) / "stdout").read_text()
        self.assertIn("algorithm l1", text)
        self.assertIn("compressed: accuracy", text)

    def test_the_parent_goes_when_there_is_nothing_more_to_do(self):
        experiment = self.create(3)
        self.client.wait_status(experiment, "DONE", 120)
        wait_for(lambda: not self.warm_parents(), "the warm parent is let go", 30)

    def test_without_a_warm_parent(self):
        experiment = self.create(2, warm=False)
        self.client.wait_status(experiment, "DONE", 120)
        self.assert_each_succeeded_once(experiment, 2)
        self.assertFalse((Path(self.client.experiment(experiment)["directory"]) / "warm.log").exists())

    def test_a_killed_parent_costs_no_trial(self):
        experiment = self.create(6)
        warm = self.running_fork(experiment)
        for parent in self.warm_parents():
            os.kill(parent, signal.SIGKILL)
        self.client.wait_status(experiment, "DONE", 120)
        trials = self.assert_each_succeeded_once(experiment, 6)
        self.assertEqual({t["attempt"] for t in trials}, {0}, "the running trial did not notice")
        self.assertIn(warm["id"], [t["id"] for t in trials])
        self.assertIn("has ended: signal 9", self.agent_log())

    def test_a_stopped_parent_costs_no_trial(self):
        experiment = self.create(4)
        self.running_fork(experiment)
        for parent in self.warm_parents():
            os.kill(parent, signal.SIGSTOP)
        self.client.wait_status(experiment, "DONE", 120)
        self.assert_each_succeeded_once(experiment, 4)
        self.assertIn("no answer in", self.agent_log())

    def test_a_changed_model_makes_a_new_parent(self):
        experiment = self.create(8)
        self.running_fork(experiment)
        os.utime(self.example / "lenet.pt")
        self.client.wait_status(experiment, "DONE", 120)
        self.assert_each_succeeded_once(experiment, 8)
        self.assertIn("lenet.pt has changed", self.log(experiment))
        self.assertIn("lenet.pt has changed", self.agent_log())

    def test_a_cancelled_fork_is_gone(self):
        experiment = self.create(4, epochs=200)
        first = self.client.wait_trials(experiment, 1, 60, status="RUNNING")[0]
        wait_for(lambda: "is warm" in self.log(experiment), "the parent is warm", 60)
        self.client.post(f"experiments/{experiment}/trials/{first['id']}/cancel")
        warm = self.running_fork(experiment)
        self.client.post(f"experiments/{experiment}/trials/{warm['id']}/cancel")
        wait_for(lambda: not is_alive(warm["pid"]), "the process is gone")
        path = f"experiments/{experiment}/trials/{warm['id']}"
        wait_for(lambda: self.client.get(path)["status"] == "USER_CANCELED", "the trial is cancelled")

    def test_a_fork_that_is_killed_fails_alone(self):
        experiment = self.create(3)
        warm = self.running_fork(experiment)
        os.kill(warm["pid"], signal.SIGSEGV)
        self.client.wait_status(experiment, "DONE", 120)
        trials = {t["id"]: t for t in self.client.trials(experiment)}
        self.assertEqual(trials.pop(warm["id"])["reason"].splitlines()[0], "killed by signal 11 (SIGSEGV)")
        self.assertEqual({t["status"] for t in trials.values()}, {"SUCCEEDED"})

    def test_a_killed_daemon_adopts_forks(self):
        experiment = self.create(4, epochs=10)
        warm = self.running_fork(experiment)
        self.daemon.kill()
        self.assertTrue(is_alive(warm["pid"]))
        self.daemon.start()
        self.client.wait_status(experiment, "DONE", 180)
        trials = self.assert_each_succeeded_once(experiment, 4)
        self.assertEqual({t["attempt"] for t in trials}, {0})

    def test_a_killed_agent_costs_no_trial(self):
        experiment = self.create(4, epochs=10)
        warm = self.running_fork(experiment)
        before = self.warm_parents()
        self.assertTrue(before)
        os.kill(self.agent(), signal.SIGKILL)
        for pid in before:
            wait_for(lambda: not is_alive(pid), f"process {pid} of the killed agent is gone", 20)
        self.assertTrue(is_alive(warm["pid"]))
        self.client.wait_status(experiment, "DONE", 180)
        trials = self.assert_each_succeeded_once(experiment, 4)
        self.assertEqual({t["attempt"] for t in trials}, {0})

    def test_a_clean_stop_ends_forks_and_their_parent(self):
        experiment = self.create(3, epochs=10)
        warm = self.running_fork(experiment)
        parents = self.warm_parents()
        self.assertEqual(self.daemon.terminate(), 0)
        for pid in [*parents, warm["pid"]]:
            wait_for(lambda: not is_alive(pid), f"process {pid} is gone", 10)


if __name__ == "__main__":
    unittest.main()
