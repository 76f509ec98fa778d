"""Lines to machines that are cut while trials run: trials outlive that, or run elsewhere when it takes too long; nothing counts twice."""

import unittest
from pathlib import Path

from far_hosts import FarTest
from fault_injector import processes_of
from harness import is_alive, wait_for

NOTICED = 60  # seconds: ssh gives a silent line up after 15 to 20
BACK = 90     # seconds: pauses between two attempts to connect grow to 30

# A run of a trial tells its number by all its metrics, and passes each gate when it is opened to the trial or to the host.
STEPS = """
run=$(($(cat FOLDER/runs-$NNI_TRIAL_JOB_ID 2>/dev/null | wc -l) + 1))
host=${LATHE_E2E_HOST##*:}
pass() { while [ ! -e FOLDER/$1 ] && [ ! -e FOLDER/$1-$host-$NNI_TRIAL_JOB_ID ]; do sleep 0.05; done; }
echo "run $run"
report PERIODICAL 0 $run
echo "$LATHE_E2E_HOST $$" >> FOLDER/runs-$NNI_TRIAL_JOB_ID
pass first
report PERIODICAL 1 $run
touch FOLDER/reported-$run-$NNI_TRIAL_JOB_ID
pass second
report FINAL 0 $run
"""


class CutLinkTest(FarTest):
    def stepwise(self, before="", **more):
        return self.client.create(self.remote(before + STEPS.replace("FOLDER", str(self.scratch)), **more))["id"]

    def open(self, gate, host=None, trial=None):
        """To all, or to a trial's run on a host."""
        (self.scratch / (gate if host is None else f"{gate}-{host.port}-{trial['id']}")).touch()

    def runs(self, trial):
        """[(host, pid)], oldest first."""
        file = self.scratch / f"runs-{trial['id']}"
        return [(name, int(pid)) for name, pid in (line.split() for line in file.read_text().splitlines())] if file.exists() else []

    def has_reported(self, trial, run):
        return (self.scratch / f"reported-{run}-{trial['id']}").exists()

    def wait_first_metric(self, experiment, count):
        """The trials, once all run and have told one metric."""

        def told():
            trials = self.client.trials(experiment, status="RUNNING")
            return trials if len(trials) == count and all(trial["intermediateCount"] == 1 for trial in trials) else None

        return wait_for(told, f"{count} trials have told a metric", 60)

    def assert_result(self, experiment, trial, run):
        """It has succeeded, with the metrics and the files of that run of it."""
        trial = self.trial(experiment, trial["id"])
        self.assertEqual((trial["status"], trial["attempt"], len(self.runs(trial))), ("SUCCEEDED", run - 1, run), trial)
        self.assert_metrics(experiment, trial, [("PERIODICAL", 0, run), ("PERIODICAL", 1, run), ("FINAL", 0, run)])
        self.assertEqual((trial["intermediateCount"], trial.get("note")), (2, None))
        self.assertEqual(Path(trial["directory"], "stdout").read_text(), f"run {run}\n")

    def trial_processes(self, host):
        """What is there of trials, with their keepers."""
        return [process for process in processes_of([host.mark]) if process.trial or process.name == "lathe-keeper"]

    def wait_for_one_link(self, host):
        """The sessions of earlier connections have gone."""

        def links():
            ends = [process for process in processes_of([host.mark]) if process.is_far_end]
            return [word for process in ends for word in process.words if word in ("--attach", "--files")]

        wait_for(lambda: sorted(links()) in (["--attach"], ["--attach", "--files"]), f"one link leads to {host.name}", 60)


class CutLink(CutLinkTest):
    """Four ways of being out of reach, each for longer than ssh waits."""

    count = 4

    def break_lines(self):
        self.lines[0].cut()
        self.lines[1].pull()
        self.lines[2].cut(back=False)   # half-open: what is sent there is lost
        self.lines[3].cut(there=False)  # what comes from there is lost

    def test_trials_go_on_and_what_they_told_meanwhile_counts_once(self):
        experiment = self.stepwise(maxTrialNumber=8, trialConcurrency=8)
        trials = self.wait_first_metric(experiment, 8)
        ends_early = [self.on(host, experiment)[0] for host in self.hosts]
        self.break_lines()
        self.open("first")
        for trial in trials:
            wait_for(lambda: self.has_reported(trial, 1), "it goes on", 20)
        for host, trial in zip(self.hosts, ends_early):
            self.open("second", host, trial)
            wait_for(lambda: not is_alive(self.runs(trial)[0][1]), "it has ended over there", 20)
        self.wait_connected([host.name for host in self.hosts], False, NOTICED)
        self.assertEqual({(trial["status"], trial["attempt"]) for trial in self.client.trials(experiment)}, {("RUNNING", 0)})
        for line in self.lines:
            line.mend()
        for trial in ends_early:
            wait_for(lambda: self.trial(experiment, trial["id"])["status"] == "SUCCEEDED", "its end is told", BACK)
        self.wait_connected([host.name for host in self.hosts], True, BACK)
        for trial in trials:
            if trial not in ends_early:
                self.assertTrue(is_alive(self.runs(trial)[0][1]))
        for host in self.hosts:
            self.wait_for_one_link(host)
        self.open("second")
        self.client.wait_status(experiment, "DONE", 60)
        for trial in trials:
            self.assert_result(experiment, trial, 1)
        for host in self.hosts:
            self.assertEqual(self.trial_processes(host), [])


class LostHost(CutLinkTest):
    """Out of reach for longer than the grace time."""

    count = 2
    lost_after = "2s"

    def test_trials_run_again_elsewhere_and_the_first_attempts_end_when_the_machine_is_back(self):
        far, near = self.hosts
        self.lines[1].cut()  # until the other one is full, so that each gets two trials
        service = {"platform": "remote", "machineList": [far.machine(slots=2), near.machine(slots=4)]}
        experiment = self.stepwise(service=service, maxTrialNumber=4, trialConcurrency=4)
        wait_for(lambda: len(self.on(far, experiment)) == 2, "two trials run there", 30)
        self.lines[1].mend()
        trials = self.wait_first_metric(experiment, 4)
        ended, runs_on = self.on(far, experiment)
        self.lines[0].cut()
        for gate in ("first", "second"):
            self.open(gate, far, ended)
        wait_for(lambda: not is_alive(self.runs(ended)[0][1]), "it has ended over there", 20)
        for trial in (ended, runs_on):
            wait_for(lambda: len(self.runs(trial)) == 2, "it runs again", NOTICED)
            record = self.trial(experiment, trial["id"])
            self.assertEqual((record["status"], record["host"], record["attempt"]), ("RUNNING", near.name, 1))
            self.assertEqual([(attempt["attempt"], attempt["host"]) for attempt in record["attempts"]], [(0, far.name)])
            self.assertIn(f"host {far.name} was lost", record["attempts"][0]["reason"])
        self.assertTrue(is_alive(self.runs(runs_on)[0][1]), "nobody can end it yet")
        # The second run ends before the machine tells of the first one's end, which has other files and another metric.
        for gate in ("first", "second"):
            self.open(gate, near, ended)
        wait_for(lambda: self.trial(experiment, ended["id"])["status"] == "SUCCEEDED", "its second run ends", 20)
        self.lines[0].mend()
        self.wait_connected([far.name], True, BACK)
        wait_for(lambda: not self.trial_processes(far), "no process of the first attempts is left", 20)
        self.assertTrue(is_alive(self.runs(runs_on)[1][1]))
        self.wait_for_one_link(far)
        self.open("first")
        self.open("second")
        self.client.wait_status(experiment, "DONE", 60)
        for trial in trials:
            self.assert_result(experiment, trial, 2 if trial["id"] in (ended["id"], runs_on["id"]) else 1)


class OnlyHost(CutLinkTest):
    """There is no other machine: the second attempt runs where the first one is still being ended."""

    lost_after = "2s"

    def test_two_attempts_on_one_machine_do_not_meet(self):
        # The first one takes its time with SIGTERM, and goes on telling metrics and writing into its streams.
        stubborn = 'trap \'report FINAL 0 99; echo "told to end"\' TERM\n'
        experiment = self.stepwise(stubborn, service=self.hosts.service(slots=2), maxTrialNumber=1, trialConcurrency=1)
        trial = self.wait_first_metric(experiment, 1)[0]
        self.lines[0].cut()
        wait_for(lambda: self.trial(experiment, trial["id"])["attempt"] == 1, "it is lost", NOTICED)
        self.lines[0].mend()
        wait_for(lambda: len(self.runs(trial)) == 2, "it runs again", BACK)
        self.open("first", self.hosts[0], trial)
        wait_for(lambda: self.has_reported(trial, 2), "it goes on", 20)
        wait_for(lambda: not is_alive(self.runs(trial)[0][1]), "the first attempt is ended", 30)
        self.open("second")
        self.client.wait_status(experiment, "DONE", 60)
        self.assert_result(experiment, trial, 2)


if __name__ == "__main__":
    unittest.main()
