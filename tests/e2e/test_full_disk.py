"""The disk fills up while an experiment runs: it waits, says why, and goes on when there is space again."""

import os
import subprocess
import unittest

from harness import LatheTest, wait_for


def can_mount(folder):
    return os.geteuid() == 0 and subprocess.run(["mount", "-t", "tmpfs", "-o", "size=32m", "lathe-e2e", str(folder)],
                                                capture_output=True).returncode == 0


class FullDisk(LatheTest):
    """A daemon whose data folder is a small disk of its own."""

    own_daemon = True
    daemon_arguments = ("--reserve", "8")

    @classmethod
    def _open(cls):
        super()._open()
        cls.daemon.terminate()
        cls.disk = cls.daemon.data
        if not can_mount(cls.disk):
            cls._close()
            raise unittest.SkipTest("CANNOT MOUNT A SMALL DISK: this test needs to run as root")
        cls.daemon.start()

    @classmethod
    def _close(cls):
        try:
            super()._close()
        finally:
            subprocess.run(["umount", "--lazy", str(cls.daemon.data)], capture_output=True)

    def fill(self, but=0):
        """So many bytes are left."""
        with open(self.disk / "filler", "wb", buffering=0) as filler:
            size = 1 << 20
            while size:
                try:
                    filler.write(b"x" * size)
                except OSError:
                    size //= 2
            filler.truncate(max(0, filler.tell() - but))

    def make_room(self):
        (self.disk / "filler").unlink()

    def obstacle(self, experiment, words):
        """What stands in the experiment's way, once it has those words."""

        def told():
            obstacle = self.client.experiment(experiment).get("obstacle", "")
            return obstacle if words in obstacle else None

        return wait_for(told, f"the experiment says {words!r}", 20)

    def assert_all_reported_once(self, experiment, count):
        done = self.client.wait_status(experiment, "DONE", 60)
        self.assertEqual(done["counts"]["SUCCEEDED"], count)
        self.assertNotIn("obstacle", done)
        for trial in self.client.trials(experiment):
            metrics = self.client.metrics(experiment, trial["id"])
            self.assertCountEqual([(m["type"], m["sequence"]) for m in metrics], [("PERIODICAL", 0), ("FINAL", 0)])

    def reporting(self):
        return self.client.create(self.gated(then="report PERIODICAL 0 0.5\nreport FINAL 0 1", maxTrialNumber=8))["id"]

    def test_while_little_is_left_running_trials_end_and_no_other_starts(self):
        experiment = self.reporting()
        self.started(2)
        self.fill(but=4 << 20)
        self.open_gate()
        self.client.wait_trials(experiment, 2, status="SUCCEEDED")
        self.assertIn("8 MiB are free", self.obstacle(experiment, "is full but for 3 MiB"))
        waiting = self.client.wait_trials(experiment, 1, status="WAITING")
        self.assertIn("is full", waiting[0]["waitReason"])
        self.assertEqual(self.client.trials(experiment, status="RUNNING"), [])
        self.make_room()
        self.assert_all_reported_once(experiment, 8)

    def test_while_nothing_is_left_nothing_is_lost(self):
        experiment = self.reporting()
        self.started(2)
        self.fill()
        refused = self.client.request("PATCH", f"experiments/{experiment}", body={"trialConcurrency": 3})
        self.assertEqual(refused.status, 503, refused.text)
        self.assertIn("full", refused.text)
        self.obstacle(experiment, "full")
        self.assertEqual(self.client.experiment(experiment)["status"], "RUNNING")
        self.make_room()
        self.open_gate()
        self.assert_all_reported_once(experiment, 8)

    def test_a_daemon_that_is_killed_meanwhile_starts_again(self):
        experiment = self.reporting()
        self.started(2)
        self.fill()
        self.daemon.kill()
        self.make_room()
        self.open_gate()
        self.daemon.start()
        self.assert_all_reported_once(experiment, 8)

    def test_a_new_experiment_is_refused_and_nothing_is_left_of_it(self):
        self.fill()
        refused = self.client.request("POST", "experiments", body=self.gated())
        self.assertEqual(refused.status, 503, refused.text)
        self.assertIn("No space left on device", refused.text)
        self.make_room()
        self.assertEqual(self.client.get("experiments")["items"], [])
        self.assertEqual(list((self.disk / "experiments").iterdir()), [])
        self.run_to(self.bash("report FINAL 0 1\n"))


if __name__ == "__main__":
    unittest.main()
