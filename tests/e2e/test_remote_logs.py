"""What trials on other machines write can be read and followed while they run, whatever becomes of the link."""

import http.client
import subprocess
import threading
import unittest
from pathlib import Path

from harness import PATIENCE, program, wait_for
from test_remote_hosts import RemoteTest


class Follower:
    """A log as it comes, read in a thread."""

    def __init__(self, client, path):
        self._connection = http.client.HTTPConnection("127.0.0.1", client.port, timeout=60 * PATIENCE)
        self._connection.request("GET", f"/api/v1/{path}")
        self._answer = self._connection.getresponse()
        assert self._answer.status == 200, self._answer.read()
        self.bytes, self.is_over = b"", False
        self._thread = threading.Thread(target=self._read, daemon=True)
        self._thread.start()

    def _read(self):
        while piece := self._answer.read1(65536):
            self.bytes += piece
        self.is_over = True

    def wait(self, text, seconds=20.0):
        wait_for(lambda: text.encode() in self.bytes, f"{text!r} comes, {len(self.bytes)} bytes so far", seconds)

    def wait_over(self):
        wait_for(lambda: self.is_over, "the log ends", 30)
        self._connection.close()
        return self.bytes


class RemoteLogs(RemoteTest):
    count = 2

    def stepped(self, body, **more):
        """A trial for whose every `step NAME` there must be a file; on one machine."""
        step = f'step() {{ while [ ! -e "{self.scratch}/$1" ]; do sleep 0.02; done; }}\n'
        service = {"platform": "remote", "machineList": [self.hosts[0].machine()]}
        experiment = self.client.create(self.remote(f'{step}touch "{self.scratch}/started-$NNI_TRIAL_JOB_ID"\n{body}\nreport FINAL 0 1\n',
                                                    service=service, maxTrialNumber=1, **more))["id"]
        return experiment, self.started(1)[0]

    def allow(self, step):
        (self.scratch / step).touch()

    def log(self, experiment, trial, name="stdout", **query):
        return self.client.request("GET", f"experiments/{experiment}/trials/{trial}/logs/{name}", query=query)

    def here(self, experiment, trial, name="stdout"):
        return Path(self.trial(experiment, trial)["directory"], name).read_bytes()

    def test_the_text_so_far_its_tail_and_each_file(self):
        experiment, trial = self.stepped("seq 1 20000; echo problem >&2; echo more > \"$NNI_OUTPUT_DIR/trial.log\"\n"
                                         f"touch {self.scratch}/written; step end")
        wait_for((self.scratch / "written").exists, "it has written")
        text = self.log(experiment, trial)
        self.assertEqual(text.status, 200)
        self.assertEqual(text.text, "".join(f"{i}\n" for i in range(1, 20001)))
        self.assertEqual(self.log(experiment, trial, tail=2).text, "19999\n20000\n")
        self.assertEqual(self.log(experiment, trial, tail=0).text, "")
        self.assertEqual(self.log(experiment, trial, "stderr").text, "problem\n")
        self.assertEqual(self.log(experiment, trial, "trial.log").text, "more\n")
        self.assertFalse(Path(self.trial(experiment, trial)["directory"], "stdout").exists(), "it came from there")
        self.allow("end")
        self.client.wait_status(experiment, "DONE", 60)
        self.assertEqual(self.log(experiment, trial, tail=1).text, "20000\n")

    def test_lathectl_follows(self):
        experiment, trial = self.stepped("echo one; step two; echo two; step end; echo three")
        with subprocess.Popen([program("lathectl"), "--url", self.daemon.url, "log", "trial", "-f", experiment, trial], stdout=subprocess.PIPE,
                              stderr=subprocess.PIPE, stdin=subprocess.DEVNULL, text=True, env=self.daemon.environment()) as follower:
            self.assertEqual(follower.stdout.readline(), "one\n")
            self.allow("two")
            self.assertEqual(follower.stdout.readline(), "two\n")
            self.assertEqual(self.client.trials(experiment)[0]["status"], "RUNNING")
            self.allow("end")
            rest, complaint = follower.communicate(timeout=60 * PATIENCE)
        self.assertEqual((rest, complaint, follower.returncode), ("three\n", "", 0))

    def test_nothing_is_lost_or_doubled_by_links_that_break(self):
        experiment, trial = self.stepped("for i in $(seq 1 6); do step part$i; printf '\\377\\000 part %d\\n' $i; seq $((i * 10000)) $((i * 10000 + 9999)); done; step end")
        follower = Follower(self.client, f"experiments/{experiment}/trials/{trial}/logs/stdout?follow=true")
        for i in range(1, 7):
            self.allow(f"part{i}")
            if i % 2:
                follower.wait(f"\n{i * 10000 + 9999}\n")
            self.hosts[0].cut_connections()
        follower.wait("\n69999\n")
        tail = Follower(self.client, f"experiments/{experiment}/trials/{trial}/logs/stdout?follow=true&tail=1")
        tail.wait("69999")
        self.allow("end")
        self.client.wait_status(experiment, "DONE", 60)
        whole = self.here(experiment, trial)
        self.assertGreater(len(whole), 300_000)
        self.assertEqual(follower.wait_over(), whole)
        self.assertEqual(tail.wait_over(), b"69999\n")

    def test_a_machine_that_is_away_says_so_and_its_log_goes_on_elsewhere(self):
        service = self.hosts.service(slots=1)
        experiment = self.client.create(self.gated(service=service, maxTrialNumber=1))["id"]
        trial = self.started(1)[0]
        # Whoever waits for a trial of a machine that is gone gets the text of the next attempt.
        (self.code / "trial.sh").write_text((self.code / "trial.sh").read_text().replace("\nreport FINAL", "\necho again\nreport FINAL"))
        follower = Follower(self.client, f"experiments/{experiment}/trials/{trial}/logs/stdout?follow=true")
        lost = next(host for host in self.hosts if host.name == self.trial(experiment, trial)["host"])
        lost.power_off()
        wait_for(lambda: self.log(experiment, trial).status == 503 or self.trial(experiment, trial)["attempt"] == 1, "it cannot be asked")
        self.open_gate()
        self.client.wait_status(experiment, "DONE", 60)
        self.assertEqual(follower.wait_over(), b"again\n")


if __name__ == "__main__":
    unittest.main()
