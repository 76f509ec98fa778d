"""A trial that waits says why: in the REST answer, in `lathectl trial show` and in the log."""

import os
import shutil
import tempfile
import unittest
from pathlib import Path

from harness import wait_for
from test_remote_hosts import RemoteTest

ONE_GPU = "0, GPU-aa, NVIDIA H100, 81559, 1024, 17"


class WaitingTrials(RemoteTest):
    def assert_told(self, experiment, text):
        self.wait_reason(experiment, text)
        trial = self.client.trials(experiment, status="WAITING")[0]["id"]
        shown = self.lathectl("trial", "show", experiment, trial)
        self.assertIn(text, " ".join(shown.stdout.split()), shown.stderr)
        log = self.daemon.data / "lathed.log"
        wait_for(lambda: any(experiment in line and text in line for line in log.read_text().splitlines()), f"the log says {text!r}", 30)

    def waiting_for(self, service, **more):
        return self.client.create(self.remote("report FINAL 0 1\n", service=service, maxTrialNumber=1, **more))["id"]


class WaitReasons(WaitingTrials):
    """Full disks have a test of their own, which needs a disk."""

    def test_no_slot(self):
        service = self.hosts.service(slots=1)
        self.client.create(self.gated(service=service, maxTrialNumber=1))
        self.started(1)
        second = self.waiting_for(service)
        self.assert_told(second, f"the one trial slot of {self.hosts[0].name} is in use")
        self.open_gate()
        self.client.wait_status(second, "DONE", 60)

    def test_a_machine_that_is_off(self):
        self.hosts[0].power_off()
        experiment = self.waiting_for(self.hosts.service())
        self.assert_told(experiment, f"nothing listens at {self.hosts[0].name}")

    def test_a_changed_host_key(self):
        self.hosts[0].power_off()
        self.hosts[0].new_host_key()
        self.hosts[0].start()
        experiment = self.waiting_for(self.hosts.service())
        self.assert_told(experiment, "has changed")

    def test_a_login_that_is_refused(self):
        (self.hosts[0].folder / "authorized_keys").write_text("")
        experiment = self.waiting_for(self.hosts.service())
        self.assert_told(experiment, "refused the login")


class BusyGpus(WaitingTrials):
    """A machine of one GPU, as a script tells of it."""

    def setUp(self):
        folder = Path(tempfile.mkdtemp(prefix="lathe-smi-"))
        self.addCleanup(shutil.rmtree, folder)
        smi, self.apps = folder / "nvidia-smi", folder / "apps"
        smi.write_text(f"#!/bin/sh\ncase $1 in --query-gpu=*) echo '{ONE_GPU}';; *) cat {self.apps};; esac\n")
        smi.chmod(0o755)
        self.apps.write_text(f"GPU-aa, {os.getpid()}, python3\n")
        os.environ["LATHE_NVIDIA_SMI"] = str(smi)
        self.addCleanup(os.environ.pop, "LATHE_NVIDIA_SMI")
        super().setUp()

    def test_a_gpu_that_somebody_else_uses(self):
        experiment = self.waiting_for({"platform": "local"}, trialGpuNumber=1)
        self.assert_told(experiment, f"GPU 0 is used by pid {os.getpid()}")
        self.apps.write_text("")
        self.client.wait_status(experiment, "DONE", 60)
        self.assertEqual(self.client.trials(experiment)[0]["gpus"], [0])


if __name__ == "__main__":
    unittest.main()
