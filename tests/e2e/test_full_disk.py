"""The disk fills up while an experiment runs: it waits, says why, and goes on when there is space again."""

import os
import subprocess
import unittest

from harness import LatheTest, wait_for
from test_remote_hosts import RemoteTest


def can_mount(folder, size="32m"):
    return os.geteuid() == 0 and subprocess.run(["mount", "-t", "tmpfs", "-o", f"size={size}", "lathe-e2e", str(folder)],
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

    def assert_told(self, experiment, trial, *words):
        """Somebody who looks at the trial learns of the disk, and so does somebody who reads the log."""
        path = f"experiments/{experiment}/trials/{trial['id']}"

        def told(text):
            return all(word in text for word in (str(self.disk), *words))

        wait_for(lambda: told(self.client.get(path).get("waitReason", "")), f"the trial waits because of {words}", 20)
        shown = self.lathectl("trial", "show", experiment, trial["id"])
        self.assertTrue(told(" ".join(shown.stdout.split())), shown.stdout + shown.stderr)

        def logged():
            return any(experiment in line and told(line) for line in self.client.request("GET", "log").text.splitlines())

        # Obstacles that follow each other quickly are not all logged at once.
        wait_for(logged, f"the log says {words}", 30)

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
        self.assert_told(experiment, waiting[0], "is full but for", "MiB: trials are started again once 8 MiB are free (--reserve): remove files")
        self.assertEqual(self.client.trials(experiment, status="RUNNING"), [])
        self.make_room()
        self.assert_all_reported_once(experiment, 8)

    def test_while_nothing_is_left_nothing_is_lost(self):
        experiment = self.reporting()
        self.started(2)
        self.client.post(f"experiments/{experiment}/trials", {"parameters": {"x": 0.5}})
        self.fill()
        refused = self.client.request("PATCH", f"experiments/{experiment}", body={"trialConcurrency": 3})
        self.assertEqual(refused.status, 503, refused.text)
        self.assertIn("full", refused.text)
        self.assertIn("has 0 KiB free", refused.text)
        self.obstacle(experiment, "full")
        waiting = self.client.trials(experiment, status="WAITING")[0]
        self.assert_told(experiment, waiting, "the disk of", "has 0 KiB free, and lathed keeps 8 MiB for its records (--reserve): remove files")
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


class FullRemoteDisk(RemoteTest):
    """The disk of a machine far away is too small for what a trial needs."""

    def test_the_reason_names_disk_and_sizes_and_the_trial_runs_once_there_is_room(self):
        folder = self.hosts[0].home / ".lathe"
        folder.mkdir()
        if not can_mount(folder, "24m"):
            self.skipTest("CANNOT MOUNT A SMALL DISK: this test needs to run as root")
        self.addCleanup(subprocess.run, ["umount", "--lazy", str(folder)], capture_output=True)
        (self.code / "large").write_bytes(os.urandom(30 << 20))
        experiment = self.client.create(self.remote("report FINAL 0 1\n", maxTrialNumber=1))["id"]
        reason = self.wait_reason(experiment, "No space left on device")
        self.assertRegex(reason, rf"the disk of {folder}/\w+/root there has \d+ KiB free, and 30720 KiB are needed: remove something there")
        trial = self.client.trials(experiment)[0]["id"]
        shown = self.lathectl("trial", "show", experiment, trial)
        self.assertIn("and 30720 KiB are needed", " ".join(shown.stdout.split()))
        log = self.client.request("GET", "log").text.splitlines()
        self.assertTrue(any(f"{experiment}/{trial}" in line and "30720 KiB are needed" in line for line in log), log[-5:])
        (self.code / "large").write_text("small")
        self.client.wait_status(experiment, "DONE", 60)


if __name__ == "__main__":
    unittest.main()
