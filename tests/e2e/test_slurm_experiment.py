"""Whole experiments whose trials are jobs of a real Slurm cluster, which is started for the test."""

import os
import unittest
from pathlib import Path

from harness import LatheTest, wait_for
from slurm_cluster import SlurmCluster, missing

SERVICE = {"platform": "slurm", "partition": "main", "prologue": "export FROM_PROLOGUE=yes"}


class SlurmExperiment(LatheTest):
    @classmethod
    def setUpClass(cls):
        if missing():
            raise unittest.SkipTest(f"SLURM IS NOT INSTALLED: {', '.join(missing())}")
        cls.cluster = SlurmCluster(nodes=2, cpus=4)
        cls.addClassCleanup(cls.cluster.stop)
        cls.cluster.start()
        for name in ("PATH", "SLURM_CONF"):
            before = os.environ.get(name)
            os.environ[name] = cls.cluster.environment()[name]
            cls.addClassCleanup(os.environ.__setitem__ if before is not None else lambda key, _: os.environ.pop(key), name, before)
        super().setUpClass()

    def slurm(self, body, **more):
        return self.bash(body, trainingService=SERVICE, **more)

    def test_trials_run_to_done(self):
        body = self.slurm('echo "$FROM_PROLOGUE $SLURM_JOB_ID"; report PERIODICAL 0 0.25\nreport FINAL 0 0.75\n',
                          maxTrialNumber=12, trialConcurrency=6)
        experiment = self.run_to(body, seconds=120)
        trials = self.client.trials(experiment["id"])
        self.assertEqual({trial["status"] for trial in trials}, {"SUCCEEDED"})
        self.assertEqual({trial["metric"] for trial in trials}, {0.75})
        self.assertEqual({trial["intermediateCount"] for trial in trials}, {1})
        for trial in trials:
            self.assertRegex((Path(trial["directory"]) / "stdout").read_text(), r"^yes \d+\n$")
        self.assertGreaterEqual(len(self.cluster.jobs()), 12)

    def test_a_job_cancelled_by_hand_is_a_failed_trial(self):
        experiment = self.client.create(self.gated(trainingService=SERVICE, maxTrialNumber=1, trialConcurrency=1))
        trial = self.started(1)[0]
        job = self.client.pid(experiment["id"], trial)
        self.cluster.run("scancel", str(job))
        failed = self.client.wait_trials(experiment["id"], 1, seconds=60, status="FAILED")[0]
        self.assertIn("cancelled in Slurm", failed["error"])

    def test_stopping_cancels_what_waits_and_what_runs(self):
        experiment = self.client.create(self.gated(trainingService=SERVICE, maxTrialNumber=12, trialConcurrency=12))
        self.started(8)
        self.client.post(f"experiments/{experiment['id']}/stop")
        self.client.wait_status(experiment["id"], "STOPPED", 60)
        wait_for(lambda: not [job for job in self.cluster.jobs() if job["state"] in ("PENDING", "RUNNING")], "no job is left", 30)

    def test_a_killed_daemon_goes_on_with_its_jobs(self):
        experiment = self.client.create(self.gated(trainingService=SERVICE, maxTrialNumber=3, trialConcurrency=3))
        self.started(3)
        self.daemon.kill()
        self.open_gate()
        self.daemon.start()
        self.client.wait_status(experiment["id"], "DONE", 60)
        self.assertEqual({trial["status"] for trial in self.client.trials(experiment["id"])}, {"SUCCEEDED"})
        self.assertEqual(len(self.started(3)), 3)


if __name__ == "__main__":
    unittest.main()
