"""Nodes of a real Slurm cluster that go down while trials run on them: these run again on another node, and say why."""

import re
import unittest

import test_slurm_experiment
from harness import is_alive, wait_for
from slurm_cluster import SlurmCluster


class NodeDown(test_slurm_experiment.OnCluster):
    """Trials take a whole node each."""

    @classmethod
    def make_cluster(cls):
        return SlurmCluster(nodes=2, cpus=4, node_timeout=5, return_to_service=1)

    def whole_nodes(self, **more):
        """Trials that leave their nodes and processes in runs-ID, and wait for gate-ID or gate."""
        return self.bash('echo "$SLURMD_NODENAME $$" >> "runs-$NNI_TRIAL_JOB_ID"\nreport PERIODICAL 0 0.5\n'
                         'while [ ! -e gate ] && [ ! -e "gate-$NNI_TRIAL_JOB_ID" ]; do sleep 0.05; done\nreport FINAL 0 1\n',
                         trainingService={"platform": "slurm", "cpusPerTask": 4}, **more)

    def runs(self, trial):
        """[(node, pid)], oldest first."""
        file = self.scratch / f"runs-{trial}"
        lines = file.read_text().splitlines() if file.exists() else []
        return [(node, int(pid)) for node, pid in (line.split() for line in lines)]

    def trial(self, experiment, trial):
        return self.client.get(f"experiments/{experiment}/trials/{trial}")

    def running_on_both(self, **more):
        """An experiment with a trial on each node: its id, and the trials by node."""
        experiment = self.client.create(self.whole_nodes(maxTrialNumber=2, trialConcurrency=2, **more))["id"]
        self.addCleanup(self.open_gate)

        def spread():
            trials = [trial["id"] for trial in self.client.trials(experiment, status="RUNNING")]
            return len(trials) == 2 and all(map(self.runs, trials)) and {self.runs(trial)[0][0]: trial for trial in trials}

        return experiment, wait_for(spread, "both nodes have a trial", 30)

    def assert_runs_again(self, experiment, down, up):
        """The trial of the node that is down waits for the other one, which is busy, and then runs there."""
        wait_for(lambda: self.trial(experiment, down)["attempt"] == 1, "its trial is put back", 60)
        told = re.compile(r"job \d+: PENDING: (Resources|Priority|ReqNodeNotAvail)")
        wait_for(lambda: told.search(self.trial(experiment, down).get("waitReason", "")), "it says why it waits", 30)
        (self.scratch / f"gate-{up}").touch()
        wait_for(lambda: len(self.runs(down)) == 2, "it runs again", 30)
        self.open_gate()
        self.client.wait_status(experiment, "DONE", 60)
        for trial, nodes in ((down, ["node0", "node1"]), (up, ["node1"])):
            record = self.trial(experiment, trial)
            self.assertEqual((record["status"], record["attempt"], record["intermediateCount"]), ("SUCCEEDED", len(nodes) - 1, 1))
            self.assertEqual([node for node, _ in self.runs(trial)], nodes)
            self.assertEqual([metric["type"] for metric in self.client.metrics(experiment, trial)].count("FINAL"), 1)
        attempt = self.trial(experiment, down)["attempts"][0]
        self.assertRegex(attempt["reason"], r"^lost: Slurm: NODE_FAIL \(job \d+(_\d+)? on node0\)$")
        self.assert_no_job_is_left()

    def test_a_node_that_loses_its_power(self):
        experiment, trials = self.running_on_both()
        self.addCleanup(self.wait_until_both_are_up)
        self.addCleanup(self.cluster.start_node, "node0")
        self.cluster.kill_node("node0")
        self.assert_runs_again(experiment, trials["node0"], trials["node1"])

    def test_a_node_that_is_set_down(self):
        experiment, trials = self.running_on_both()
        self.set_down("node0")
        self.assert_runs_again(experiment, trials["node0"], trials["node1"])
        wait_for(lambda: not is_alive(self.runs(trials["node0"])[0][1]), "nothing of the first run is left", 30)

    def test_without_retries_it_has_failed_and_says_so(self):
        experiment, trials = self.running_on_both(maxRetries={"lost": 0})
        self.set_down("node0")
        self.open_gate()
        self.client.wait_status(experiment, "DONE", 60)
        lost, other = (self.trial(experiment, trials[node]) for node in ("node0", "node1"))
        self.assertEqual((lost["status"], other["status"]), ("FAILED", "SUCCEEDED"))
        self.assertRegex(lost["reason"], r"^lost because Slurm: NODE_FAIL \(job \d+(_\d+)? on node0\) \(maxRetries.lost 0\)$")
        shown = self.lathectl("trial", "show", experiment, lost["id"])
        self.assertIn("NODE_FAIL", shown.stdout)

    def set_down(self, node):
        self.addCleanup(self.wait_until_both_are_up)
        self.addCleanup(self.cluster.run, "scontrol", "update", f"nodename={node}", "state=resume", check=False)
        self.cluster.run("scontrol", "update", f"nodename={node}", "state=down", "reason=test")

    def wait_until_both_are_up(self):
        self.open_gate()
        wait_for(lambda: set(self.cluster.output("sinfo", "--noheader", "--Node", "--format=%T").split()) == {"idle"}, "all nodes are idle", 60)


if __name__ == "__main__":
    unittest.main()
