"""What trials leave on other machines goes once it is here, and nothing else goes."""

import hashlib
import os
import shutil
import time
import unittest
from pathlib import Path

from harness import BIN, wait_for
from test_remote_hosts import RemoteTest

WEEK = 7 * 24 * 3600
DAY = 24 * 3600


def grow_old(path, seconds):
    then = time.time() - seconds
    os.utime(path, (then, then))


class CleanupTest(RemoteTest):
    def root(self, host):
        """Of this daemon on the host."""
        return host.home / ".lathe" / (self.daemon.data / "daemon_id").read_text().strip() / "root"

    def folders(self, host):
        """What it has of experiments there: their folders and those of their trials."""
        experiments = self.root(host) / "experiments"
        return {str(path.relative_to(experiments)) for pattern in ("*", "*/trials/*", "*/baseline") for path in experiments.glob(pattern)}

    def wait_gone(self, host, *names):
        wait_for(lambda: not self.folders(host) & set(names), f"{names} are gone", 20)

    def wait_clean(self, host):
        wait_for(lambda: not self.folders(host), f"nothing is left on {host.name}", 20)
        wait_for(lambda: not list((self.root(host) / "trash").glob("*")), "the trash is empty", 20)


class AfterTrials(CleanupTest):
    count = 2

    def test_a_trial_goes_when_it_is_here_and_an_experiment_when_it_ends(self):
        body = 'mkdir -p deep/er; echo made > "$NNI_OUTPUT_DIR/result.txt"; chmod 555 deep; ln -s / "$NNI_OUTPUT_DIR/out"\n'
        experiment = self.client.create(self.remote(
            f'{body}touch "{self.scratch}/started-$NNI_TRIAL_JOB_ID"\n'
            f'case $NNI_TRIAL_SEQ_ID in 0) ;; *) while [ ! -e "{self.scratch}/gate" ]; do sleep 0.05; done;; esac\nreport FINAL 0 1\n',
            service=self.hosts.service(slots=1), maxTrialNumber=3))["id"]
        first = self.client.wait_trials(experiment, 1, status="SUCCEEDED")[0]
        host = next(host for host in self.hosts if host.name == first["host"])
        self.wait_gone(host, f"{experiment}/trials/{first['id']}")
        self.assertIn(experiment, self.folders(host), "its code is still needed")
        self.started(3)
        running = [f"{experiment}/trials/{t['id']}" for t in self.client.trials(experiment, status="RUNNING")]
        left = set().union(*map(self.folders, self.hosts))
        self.assertEqual({name for name in left if "/trials/" in name}, set(running), "what runs stays")
        self.open_gate()
        self.client.wait_status(experiment, "DONE", 60)
        for host in self.hosts:
            self.wait_clean(host)
            self.assertTrue(list((self.root(host) / "store").iterdir()), "what was sent is kept for the next")
        for trial in self.client.trials(experiment):
            self.assertEqual((Path(trial["directory"]) / "result.txt").read_text(), "made\n")

    def test_an_attempt_that_is_given_up_goes_when_its_machine_is_back(self):
        experiment = self.client.create(self.gated(service=self.hosts.service(slots=1), maxTrialNumber=1, trialConcurrency=1))["id"]
        trial = self.started(1)[0]
        path = f"{experiment}/trials/{trial}"
        lost, other = sorted(self.hosts, key=lambda host: path not in self.folders(host))
        again = f"{path}.1"
        lost.power_off()
        wait_for(lambda: again in self.folders(other), "it runs elsewhere", 20)
        lost.start()
        self.wait_gone(lost, path)
        self.assertIn(again, self.folders(other))
        self.open_gate()
        self.client.wait_status(experiment, "DONE", 60)
        self.assertEqual(self.client.trials(experiment)[0]["host"], other.name)
        self.wait_clean(lost)
        self.wait_clean(other)

    def test_an_experiment_that_is_stopped_can_go_on(self):
        experiment = self.client.create(self.gated(service=self.hosts.service(slots=1), maxTrialNumber=4))["id"]
        self.started(2)
        self.client.post(f"experiments/{experiment}/stop")
        self.client.wait_status(experiment, "STOPPED", 60)
        for host in self.hosts:
            self.wait_clean(host)
        self.client.post(f"experiments/{experiment}/resume")
        self.open_gate()
        self.client.wait_status(experiment, "DONE", 60)


class WhatIsLeft(CleanupTest):
    def run_one(self):
        return self.run_to(self.remote("report FINAL 0 1\n", maxTrialNumber=1), seconds=60)["id"]

    def test_a_killed_daemon_tidies_up_when_it_is_back(self):
        host = self.hosts[0]
        experiment = self.client.create(self.gated(maxTrialNumber=2))["id"]
        trials = self.started(2)
        self.daemon.kill()
        self.open_gate()
        # What a crash between the end of a trial, or of an experiment, and its removal leaves.
        for name in (f"experiments/{experiment}/trials/Gone1", "experiments/gone0000/code/0", "experiments/gone0000/trials/Gone2", "half"):
            (self.root(host) / name).mkdir(parents=True)
            (self.root(host) / name / "file").write_text("left")
        (self.root(host) / "trash").mkdir(exist_ok=True)
        (self.root(host) / "half").rename(self.root(host) / "trash" / "half")
        self.daemon.start()
        self.client.wait_status(experiment, "DONE", 60)
        self.wait_clean(host)
        self.assertEqual({t["attempt"] for t in self.client.trials(experiment)}, {0})
        self.assertEqual({t["id"] for t in self.client.trials(experiment)}, set(trials))

    def test_an_experiment_that_is_deleted_while_its_machine_is_away(self):
        host = self.hosts[0]
        deleted = self.client.create(self.gated(maxTrialNumber=1, maxRetries={"lost": 0}))["id"]
        self.started(1)
        host.power_off()
        self.client.wait_status(deleted, "DONE", 60)
        self.assertEqual(self.lathectl("experiment", "delete", deleted, "--yes").returncode, 0)
        self.assertIn(deleted, self.folders(host))
        self.daemon.terminate()
        self.daemon.start()
        host.start()
        self.open_gate()
        self.run_one()
        self.wait_clean(host)

    def test_nothing_else_is_touched(self):
        """Folders of another daemon, what a link leads to, and what the daemon does not know."""
        host = self.hosts[0]
        self.run_one()
        precious = self.scratch / "precious"
        (precious / "inner").mkdir(parents=True)
        (precious / "inner" / "file").write_text("dear")
        experiments = self.root(host) / "experiments"
        (experiments / "linked00").symlink_to(precious)
        (experiments / "half0000").mkdir()
        (experiments / "half0000" / "trials").symlink_to(precious)
        (experiments / "full0000" / "trials" / "T").mkdir(parents=True)
        (experiments / "full0000" / "trials" / "T" / "out").symlink_to(precious)
        (self.root(host) / "mine").mkdir()
        other = host.home / ".lathe" / "other0daemon" / "root" / "experiments" / "e"
        other.mkdir(parents=True)
        self.run_one()
        self.wait_clean(host)
        self.assertEqual((precious / "inner" / "file").read_text(), "dear")
        self.assertTrue(other.exists() and (self.root(host) / "mine").exists())

    def test_what_is_idle_goes_in_time(self):
        """Files that nobody asked for in a week, and builds of the agent that nobody runs."""
        host = self.hosts[0]
        for name in ("kept", "old"):
            (self.code / name).write_text(name)
        self.run_one()
        self.wait_clean(host)
        store, installed = self.root(host) / "store", host.home / ".lathe" / "bin"
        kept, old = (store / hashlib.sha256(name.encode()).hexdigest() for name in ("kept", "old"))
        grow_old(old, WEEK + 60)
        grow_old(kept, WEEK - 3600)
        idle, fresh, running = (installed / f"lathe-agent-{digit * 16}" for digit in "abc")
        for file in (idle, fresh, running):
            shutil.copy(BIN / "lathe-agent", file)
        for file in (idle, running):
            grow_old(file, DAY + 60)
        state = self.scratch / "state"
        self.assertEqual(os.spawnl(os.P_WAIT, running, str(running), "--state-dir", str(state), "--idle-exit", "30"), 0)
        grow_old(running, DAY + 60)
        for name in ("kept", "old"):
            (self.code / name).unlink()
        self.run_one()
        wait_for(lambda: not idle.exists() and not old.exists(), "the idle ones are gone", 20)
        self.assertTrue(fresh.exists() and running.exists() and kept.exists())
        self.assertEqual(len(list(installed.iterdir())), 3, "that of this daemon, too")


class CodeFolder(CleanupTest):
    def test_a_file_that_was_removed_from_the_code_is_not_in_later_trials(self):
        (self.code / "folder").mkdir()
        for name in ("stays.txt", "goes.txt", "folder/inner.txt"):
            (self.code / name).write_text(name)
        body = self.gated(maxTrialNumber=2, trialConcurrency=1)
        (self.code / "trial.sh").write_text("find . -type f | sort\n" + (self.code / "trial.sh").read_text())
        experiment = self.client.create(body)["id"]
        first = self.started(1)[0]
        (self.code / "goes.txt").unlink()
        shutil.rmtree(self.code / "folder")
        (self.code / "new.txt").write_text("new")
        self.open_gate()
        self.client.wait_status(experiment, "DONE", 60)
        trials = {t["id"]: Path(t["directory"], "stdout").read_text().split() for t in self.client.trials(experiment)}
        self.assertEqual(trials.pop(first), ["./folder/inner.txt", "./goes.txt", "./stays.txt", "./trial.sh"])
        self.assertEqual(trials.popitem()[1], ["./new.txt", "./stays.txt", "./trial.sh"])


if __name__ == "__main__":
    unittest.main()
