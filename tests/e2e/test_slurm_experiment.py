"""Whole experiments whose trials are jobs of a real Slurm cluster, which is started for the test."""

import collections
import os
import signal
import unittest
from pathlib import Path

from harness import LatheTest, wait_for
from slurm_cluster import SlurmCluster, missing

SERVICE = {"platform": "slurm", "partition": "main", "prologue": "export FROM_PROLOGUE=yes"}


class OnCluster(LatheTest):
    """A daemon that finds a cluster of two nodes with four CPUs each."""

    @classmethod
    def make_cluster(cls):
        return SlurmCluster(nodes=2, cpus=4)

    @classmethod
    def setUpClass(cls):
        if missing():
            raise unittest.SkipTest(f"SLURM IS NOT INSTALLED: {', '.join(missing())}")
        cls.cluster = cls.make_cluster()
        cls.addClassCleanup(cls.cluster.stop)
        cls.cluster.start()
        for name in ("PATH", "SLURM_CONF"):
            before = os.environ.get(name)
            os.environ[name] = cls.cluster.environment()[name]
            restore = (os.environ.pop, name) if before is None else (os.environ.__setitem__, name, before)
            cls.addClassCleanup(*restore)
        super().setUpClass()

    def jobs(self, *states):
        """All that are there, or those in one of the states."""
        return [job for job in self.cluster.jobs() if not states or job["state"] in states]

    def fill(self):
        """Keeps all CPUs of the cluster busy; the ids of the jobs, which are cancelled in the end."""
        jobs = [self.cluster.output("sbatch", "--parsable", "--exclusive", "--output=/dev/null", "--wrap=sleep 1000").strip()
                for _ in self.cluster.nodes]
        self.addCleanup(self.cluster.run, "scancel", *jobs, check=False)
        wait_for(lambda: {job["id"] for job in self.jobs("RUNNING")} >= set(jobs), "the cluster is full", 30)
        return jobs

    def assert_no_job_is_left(self):
        wait_for(lambda: not self.jobs("PENDING", "RUNNING", "COMPLETING"), "no job is left", 30)

    def assert_each_ran_once(self, experiment, count):
        """gated() trials with a run counted each."""
        trials = self.client.trials(experiment)
        self.assertEqual(collections.Counter(trial["status"] for trial in trials), {"SUCCEEDED": count})
        self.assertEqual({trial["attempt"] for trial in trials}, {0})
        runs = collections.Counter((self.scratch / "runs").read_text().split())
        self.assertEqual(runs, {trial["id"]: 1 for trial in trials})
        for trial in trials:
            metrics = self.client.metrics(experiment, trial["id"])
            self.assertCountEqual([(metric["type"], metric["sequence"]) for metric in metrics], [("PERIODICAL", 0), ("FINAL", 0)])
            self.assertEqual((trial["intermediateCount"], trial.get("note")), (1, None))


class SlurmExperiment(OnCluster):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        # Slurm counts time limits in minutes, so this one runs beside the other tests.
        body = {"experimentName": "limited", "searchSpace": {"x": {"_type": "uniform", "_value": [0, 1]}}, "trialCommand": "sleep 1000",
                "trialConcurrency": 1, "maxTrialNumber": 1, "trainingService": {**SERVICE, "timeLimit": "0:01"},
                "tuner": {"name": "Random"}}
        cls.limited = cls.daemon.client.create(body)["id"]

    def counted(self, **more):
        return self.bash('echo "$NNI_TRIAL_JOB_ID" >>runs\nreport PERIODICAL 0 0.5\ntouch "started-$NNI_TRIAL_JOB_ID"\n'
                         "while [ ! -e gate ]; do sleep 0.05; done\nreport FINAL 0 1\n", trainingService=SERVICE, **more)

    def agent(self):
        """The process of the agent that submits the jobs; 0 while one is about to write its number."""
        return int((self.daemon.data / "agents" / "slurm" / "lock").read_text() or 0)

    def test_trials_run_to_done_as_a_few_arrays(self):
        before = {job["id"].split("_")[0] for job in self.jobs()}
        body = self.bash('echo "$FROM_PROLOGUE $SLURM_JOB_ID"; report PERIODICAL 0 0.25\nreport FINAL 0 0.75\n',
                         trainingService=SERVICE, maxTrialNumber=12, trialConcurrency=6)
        experiment = self.run_to(body, seconds=120)
        trials = self.client.trials(experiment["id"])
        self.assertEqual({(trial["status"], trial["metric"], trial["intermediateCount"], trial["host"]) for trial in trials},
                         {("SUCCEEDED", 0.75, 1, "slurm")})
        self.assertEqual(len({Path(trial["directory"], "stdout").read_text() for trial in trials}), 12)
        for trial in trials:
            self.assertRegex(Path(trial["directory"], "stdout").read_text(), r"^yes \d+\n$")
        made = [job["id"] for job in self.jobs() if job["id"].split("_")[0] not in before]
        self.assertEqual(len(made), 12)
        self.assertGreaterEqual(max(collections.Counter(job.split("_")[0] for job in made).values()), 6, "six start at once, in one array")

    def test_why_a_job_waits_is_the_trials_reason_to_wait(self):
        jobs = self.fill()
        experiment = self.client.create(self.bash("report FINAL 0 1\n", trainingService=SERVICE, maxTrialNumber=1, trialConcurrency=1))["id"]

        def reason():
            return next((trial.get("waitReason", "") for trial in self.client.trials(experiment)), "")

        wait_for(lambda: "PENDING: " in reason(), "the trial tells Slurm's reason", 30)
        self.assertRegex(reason(), r"job \d+: PENDING: (Resources|Priority)")
        self.cluster.run("scancel", *jobs)
        self.client.wait_status(experiment, "DONE", 60)
        self.assertNotIn("waitReason", self.client.trials(experiment)[0])

    def test_a_job_cancelled_by_hand_is_a_failed_trial(self):
        experiment = self.client.create(self.gated(trainingService=SERVICE, maxTrialNumber=1, trialConcurrency=1))["id"]
        trial = self.started(1)[0]
        self.cluster.run("scancel", str(self.client.pid(experiment, trial)))
        failed = self.client.wait_trials(experiment, 1, seconds=60, status="FAILED")[0]
        self.assertRegex(failed["reason"], r"^cancelled in Slurm \(job \d+ on node\d\)$")

    def test_what_slurm_refuses_says_why(self):
        experiment = self.run_to(self.bash("true", trainingService={**SERVICE, "partition": "nosuch"}, maxTrialNumber=1), seconds=60)
        trial = self.client.trials(experiment["id"])[0]
        self.assertEqual(trial["status"], "FAILED")
        self.assertIn("Slurm refuses the job: ", trial["reason"])
        self.assertIn("Invalid partition name specified", trial["reason"])

    def test_stopping_cancels_what_waits_and_what_runs(self):
        experiment = self.client.create(self.gated(trainingService=SERVICE, maxTrialNumber=12, trialConcurrency=12))["id"]
        self.started(6)
        self.client.post(f"experiments/{experiment}/stop")
        self.client.wait_status(experiment, "STOPPED", 60)
        wait_for(lambda: len(self.jobs("PENDING", "RUNNING", "COMPLETING")) <= 1, "no job of it is left", 30)  # limited is another's
        self.assertEqual({trial["status"] for trial in self.client.trials(experiment)}, {"USER_CANCELED"})

    def test_a_killed_daemon_goes_on_with_its_jobs(self):
        experiment = self.client.create(self.counted(maxTrialNumber=3, trialConcurrency=3))["id"]
        self.started(3)
        self.daemon.kill()
        self.open_gate()
        self.daemon.start()
        self.client.wait_status(experiment, "DONE", 60)
        self.assert_each_ran_once(experiment, 3)

    def test_a_killed_agent_is_followed_by_one_that_adopts_its_jobs(self):
        experiment = self.client.create(self.counted(maxTrialNumber=6, trialConcurrency=3))["id"]
        self.started(3)
        for _ in range(2):
            agent = self.agent()
            os.kill(agent, signal.SIGKILL)
            wait_for(lambda: self.agent() not in (0, agent), "another agent runs", 30)
        self.open_gate()
        self.client.wait_status(experiment, "DONE", 90)
        self.assert_each_ran_once(experiment, 6)

    def test_time_limit_is_the_reason_of_a_failure(self):
        self.client.wait_status(self.limited, "DONE", 180)
        trial = self.client.trials(self.limited)[0]
        self.assertEqual(trial["status"], "FAILED")
        self.assertRegex(trial["reason"], r"^Slurm's time limit \(job \d+ on node\d\)$")


class Hybrid(OnCluster):
    """This machine first, the cluster for what has no room here."""

    def setUp(self):
        super().setUp()
        self.addCleanup(self.open_gate)
        wait_for(self.is_here_connected, "this machine's agent is connected")  # else the cluster comes first

    def is_here_connected(self):
        return any(host["id"] == "local" and host["connected"] for host in self.client.get("hosts")["items"])

    def hybrid(self, slots, **more):
        return self.gated(trainingService=[{"platform": "local", "slots": slots}, {"platform": "slurm", "partition": "main"}], **more)

    def hosts(self, experiment, status):
        return collections.Counter(trial["host"] for trial in self.client.trials(experiment, status=status))

    def test_the_first_service_fills_before_the_second(self):
        experiment = self.client.create(self.hybrid(2, maxTrialNumber=5, trialConcurrency=5))["id"]
        self.started(5)
        self.assertEqual(self.hosts(experiment, "RUNNING"), {"local": 2, "slurm": 3})
        self.assertEqual(len(self.jobs("RUNNING")), 3)
        self.open_gate()
        self.client.wait_status(experiment, "DONE", 60)
        self.assertEqual(self.hosts(experiment, "SUCCEEDED"), {"local": 2, "slurm": 3})

    def test_what_fits_into_the_first_never_uses_the_second(self):
        before = len(self.jobs())
        self.open_gate()
        experiment = self.run_to(self.hybrid(2, maxTrialNumber=8, trialConcurrency=2), seconds=60)
        self.assertEqual(self.hosts(experiment["id"], "SUCCEEDED"), {"local": 8})
        self.assertEqual(len(self.jobs()), before)

    def test_a_place_that_comes_free_in_the_first_is_taken_first(self):
        body = self.bash('touch "started-$NNI_TRIAL_JOB_ID"\nwhile [ ! -e gate ] && [ ! -e "gate-$NNI_TRIAL_JOB_ID" ]; do sleep 0.05; done\n',
                         trainingService=[{"platform": "local", "slots": 1}, {"platform": "slurm"}], maxTrialNumber=3, trialConcurrency=2)
        experiment = self.client.create(body)["id"]
        self.started(2)
        here = next(trial for trial in self.client.trials(experiment) if trial["host"] == "local")
        (self.scratch / f"gate-{here['id']}").touch()
        self.started(3)
        self.assertEqual([trial["host"] for trial in self.client.trials(experiment)].count("local"), 2)
        self.open_gate()
        self.client.wait_status(experiment, "DONE", 60)

    def test_both_live_through_the_death_of_the_daemon(self):
        experiment = self.client.create(self.hybrid(2, maxTrialNumber=4, trialConcurrency=4))["id"]
        self.started(4)
        self.daemon.kill()
        self.open_gate()
        self.daemon.start()
        self.client.wait_status(experiment, "DONE", 60)
        self.assertEqual({(trial["status"], trial["attempt"]) for trial in self.client.trials(experiment)}, {("SUCCEEDED", 0)})


if __name__ == "__main__":
    unittest.main()
