"""Trials as jobs of a real Slurm cluster that only another machine can submit to: lathed reaches it by SSH (submitHost)."""

import re
import unittest
from pathlib import Path

import sshd
from harness import wait_for
from slurm_cluster import SlurmCluster, missing
from test_remote_hosts import RemoteTest


class SubmitHost(RemoteTest):
    """self.hosts[0] knows the cluster; lathed's own environment does not."""

    lost_after = "1s"

    @classmethod
    def setUpClass(cls):
        if missing():
            raise unittest.SkipTest(f"SLURM IS NOT INSTALLED: {', '.join(missing())}")
        cls.cluster = SlurmCluster(nodes=2, cpus=4)
        cls.addClassCleanup(cls.cluster.stop)
        cls.cluster.start()
        super().setUpClass()

    def make_hosts(self):
        return sshd.SshHosts(1, environment={"SLURM_CONF": self.cluster.config})

    def setUp(self):
        super().setUp()
        self.login = self.hosts[0]
        self.service = {"platform": "slurm", "partition": "main", "submitHost": self.login.machine(), "prologue": "export FROM_PROLOGUE=yes"}

    def jobs(self, *states):
        return [job for job in self.cluster.jobs() if job["state"] in states]

    def assert_no_job_is_left(self):
        wait_for(lambda: not self.jobs("PENDING", "RUNNING", "COMPLETING"), "no job is left", 30)

    def wait_connected(self, name, connected):
        def agrees():
            return any(host["id"] == name and host["connected"] == connected for host in self.client.get("hosts")["items"])

        wait_for(agrees, f"{name} is {'connected' if connected else 'out of reach'}", 30)

    def assert_each_ran_once(self, experiment):
        for trial in self.client.trials(experiment):
            self.assertEqual((trial["status"], trial["attempt"], trial["intermediateCount"]), ("SUCCEEDED", 0, 1), trial)
            self.assertEqual((self.scratch / f"runs-{trial['id']}").read_text(), "run\n")
            metrics = self.client.metrics(experiment, trial["id"])
            self.assertCountEqual([(metric["type"], metric["sequence"]) for metric in metrics], [("PERIODICAL", 0), ("FINAL", 0)])

    def test_an_experiment_runs_there_and_its_files_come_back(self):
        (self.code / "helper.txt").write_text("goes there")
        body = self.remote('echo "$FROM_PROLOGUE $SLURM_JOB_ID $PWD"; cat helper.txt >&2; echo made > "$NNI_OUTPUT_DIR/result.txt"\n'
                           "report PERIODICAL 0 0.25\nreport FINAL 0 0.75\n", self.service, maxTrialNumber=6, trialConcurrency=3)
        experiment = self.run_to(body, seconds=90)
        told = set()
        for trial in self.client.trials(experiment["id"]):
            self.assertEqual((trial["status"], trial["metric"], trial["host"]), ("SUCCEEDED", 0.75, f"slurm:{self.login.name}"))
            folder = Path(trial["directory"])
            self.assertEqual((folder / "stderr").read_text(), "goes there")
            self.assertEqual((folder / "result.txt").read_text(), "made\n")
            word, job, place = (folder / "stdout").read_text().split()
            self.assertEqual(word, "yes")
            self.assertTrue(Path(place).is_relative_to(self.login.home), place)
            told.add(job)
        self.assertEqual(len(told), 6, "each was a job of its own")
        self.assertFalse((self.daemon.data / "agents" / "slurm").exists(), "no agent of this machine has a part in it")

    def test_jobs_that_are_cancelled_there_and_here(self):
        experiment = self.client.create(self.gated(service=self.service, maxTrialNumber=3, trialConcurrency=3))["id"]
        by_hand, here, *_ = self.started(3)
        job = wait_for(lambda: re.search(r"job (\S+): RUNNING", self.trial(experiment, by_hand).get("waitReason", "")), "its job is known")[1]
        self.cluster.run("scancel", job)  # a task of an array: Slurm does not take its plain number, which the trial has for a pid
        wait_for(lambda: self.trial(experiment, by_hand)["status"] == "FAILED", "Slurm has cancelled it", 60)
        self.assertRegex(self.trial(experiment, by_hand)["reason"], r"^cancelled in Slurm \(job \d+(_\d+)? on node\d\)$")
        self.client.post(f"experiments/{experiment}/trials/{here}/cancel")
        wait_for(lambda: self.trial(experiment, here)["status"] == "USER_CANCELED", "it is cancelled from here", 60)
        self.client.post(f"experiments/{experiment}/stop")
        self.client.wait_status(experiment, "STOPPED", 60)
        self.assert_no_job_is_left()

    def test_jobs_outlive_the_link_and_trials_beside_them_on_the_submit_host_do_not(self):
        jobs = self.client.create(self.gated(service=self.service, maxTrialNumber=2, trialConcurrency=2))["id"]
        self.started(2)
        # The same machine runs trials of its own: that one is given up tells that the time has passed for the jobs, too.
        beside = self.client.create(self.gated(service=self.hosts.service(slots=1), maxTrialNumber=1, trialConcurrency=1))["id"]
        self.started(3)
        for experiment, count in ((jobs, 2), (beside, 1)):
            wait_for(lambda: [trial["intermediateCount"] for trial in self.client.trials(experiment)] == [1] * count, "metrics are told", 30)
        self.login.stop_sshd()
        wait_for(lambda: self.client.trials(beside)[0]["attempt"] == 1, "the trial beside is given up", 30)
        self.assertEqual({(trial["status"], trial["attempt"]) for trial in self.client.trials(jobs)}, {("RUNNING", 0)})
        self.open_gate()
        wait_for(lambda: not self.jobs("RUNNING", "COMPLETING"), "the jobs end while nobody looks", 30)
        self.login.start()
        self.client.wait_status(jobs, "DONE", 90)
        self.assert_each_ran_once(jobs)
        self.client.wait_status(beside, "DONE", 90)
        self.assert_no_job_is_left()

    def test_an_experiment_is_stopped_while_the_submit_host_is_away(self):
        experiment = self.client.create(self.gated(service=self.service, maxTrialNumber=1, trialConcurrency=1))["id"]
        trial = self.started(1)[0]
        wait_for(lambda: self.trial(experiment, trial)["intermediateCount"] == 1, "it has told a metric", 30)
        self.login.stop_sshd()
        self.wait_connected(f"slurm:{self.login.name}", False)
        self.client.post(f"experiments/{experiment}/stop")
        self.client.wait_status(experiment, "STOPPED", 60)
        self.assertEqual(self.trial(experiment, trial)["status"], "USER_CANCELED")
        self.assertEqual(len(self.jobs("RUNNING")), 1, "nobody could cancel it yet")
        self.login.start()
        # The next experiment connects to the host, and what runs there for nobody ends.
        after = self.client.create(self.remote("report FINAL 0 1\n", self.service, maxTrialNumber=1, trialConcurrency=1))["id"]
        self.client.wait_status(after, "DONE", 90)
        self.assert_no_job_is_left()


if __name__ == "__main__":
    unittest.main()
