"""Trials as jobs of an OpenPAI that is played by fake_pai.py; lathe-agent is driven without a daemon."""

import os
import shutil
import subprocess
import tempfile
import time
import unittest
from pathlib import Path

from agent_client import AgentClient
from fake_pai import FakePai
from harness import is_alive, wait_for

METRIC = """metric() { local json="$1"; printf 'ME%06d%s\\n' $((${#json} + 1)) "$json" >> "$NNI_SYS_DIR/.nni/metrics"; }; """
MOUNT = "/mnt/lathe-nfs"


def certificate(folder, name="localhost"):
    """A private authority and the certificate that it has signed for the name."""
    def openssl(*arguments):
        subprocess.run(["openssl", *arguments], check=True, cwd=folder, capture_output=True)

    openssl("req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-keyout", "ca.key", "-out", "ca.pem",
            "-subj", "/CN=Our own authority", "-days", "2")
    openssl("req", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-keyout", "pai.key", "-out", "pai.csr",
            "-subj", f"/CN={name}")
    (folder / "names").write_text(f"subjectAltName=DNS:{name}")
    openssl("x509", "-req", "-in", "pai.csr", "-CA", "ca.pem", "-CAkey", "ca.key", "-CAcreateserial", "-days", "2", "-out", "pai.pem",
            "-extfile", "names")
    return str(folder / "pai.pem"), str(folder / "pai.key")


class PaiTest(unittest.TestCase):
    def setUp(self):
        self.folder = Path(tempfile.mkdtemp(prefix="lathe-pai-e2e-"))
        self.addCleanup(shutil.rmtree, self.folder, ignore_errors=True)
        self.pai = FakePai(self.folder, MOUNT)
        self.pai.open()
        self.addCleanup(self.pai.kill_all)
        self.addCleanup(lambda: self.pai.close())
        self.token = self.folder / "token"
        self.write_token("token-one")
        self.agent = AgentClient(self.folder).start()
        self.addCleanup(self.agent.stop)

    def write_token(self, text):
        self.token.touch(mode=0o600)
        self.token.write_text(text + "\n")

    def trial(self, trial_id, command, **settings):
        launcher = {"kind": "pai", "url": self.pai.url, "user": "ana", "token_file": str(self.token), "local_mount": str(self.folder),
                    "container_mount": MOUNT, "storage": "nfs", "image": "msranni/nni:latest", "cpus": 2, "memory_mb": 4096, "gpus": 1}
        return self.agent.trial(trial_id, command, launcher={**launcher, **settings})

    def running(self, trial_id="x/1/0", command="", **settings):
        """A trial that runs until the file `go` is in its folder; its folder."""
        folder = self.trial(trial_id, METRIC + "metric 1; while [ ! -e $NNI_SYS_DIR/go ]; do sleep 0.1; done; " + command, **settings)
        self.agent.wait_metrics(trial_id, 1)
        self.agent.wait_started(trial_id)
        return folder

    # ---- the ordinary course -----------------------------------------------------------------------------------------

    def test_metrics_streams_environment_and_exit_code(self):
        folder = self.trial("x/1/0", METRIC + "metric 1; echo out; echo err >&2; echo \"$PAI_JOB_NAME\" > $NNI_SYS_DIR/name; pwd; sleep 2; "
                            "metric 2; exit 3", virtual_cluster="vc1")
        self.agent.wait_metrics("x/1/0", 1)
        started = self.agent.wait_started("x/1/0")
        self.assertTrue(is_alive(started["pid"]))
        self.assertFalse(self.agent.of("x/1/0", "trial_exited"))
        end = self.agent.wait_end("x/1/0")
        self.assertEqual((end.get("exit_code"), end["error"], end["lost"]), (3, "", False))
        self.assertEqual(self.agent.wait_metrics("x/1/0", 2), ["1", "2"])
        self.assertEqual((folder / "stdout").read_text(), f"out\n{self.folder}\n")
        self.assertEqual(end["stderr_tail"], "err\n")
        job = self.pai.only
        self.assertEqual((folder / "name").read_text().strip(), job.name)
        self.assertTrue(job.name.startswith("lathe-") and "-x-1-0-" in job.name)
        role = job.protocol["taskRoles"]["trial"]
        self.assertEqual(role["resourcePerInstance"], {"gpu": 1, "cpu": 2, "memoryMB": 4096})
        self.assertEqual(job.protocol["defaults"]["virtualCluster"], "vc1")
        self.assertEqual(job.protocol["extras"]["storages"], [{"name": "nfs", "mountPath": MOUNT}])

    def test_the_script_has_the_containers_paths(self):
        folder = self.running()
        script = (folder / "pai.sh").read_text()
        self.assertIn(f"export NNI_SYS_DIR='{MOUNT}/trials/x/1/0'", script)
        # Named once, for a link that leads what names the storage by its path here to where it is there.
        self.assertEqual([line for line in script.splitlines() if str(self.folder) in line], [f"here='{self.folder}'"])
        (folder / "go").touch()
        self.assertEqual(self.agent.wait_end("x/1/0").get("exit_code"), 0)

    def test_a_signal_is_told_as_one(self):
        self.trial("x/1/0", "kill -SEGV $$")
        self.assertEqual(self.agent.wait_end("x/1/0").get("signal"), 11)

    def test_many_at_once(self):
        count = 12
        for i in range(count):
            self.trial(f"x/{i}/0", METRIC + f"metric {i}; exit {i}")
        for i in range(count):
            self.assertEqual(self.agent.wait_end(f"x/{i}/0", 60).get("exit_code"), i)
            self.assertEqual(self.agent.wait_metrics(f"x/{i}/0", 1), [str(i)])
        self.assertEqual(len(self.pai.jobs), count)

    def test_a_protocol_of_the_users_own(self):
        protocol = {"name": "mine", "jobRetryCount": 5, "prerequisites": [{"name": "img", "type": "dockerimage", "uri": "me/torch"}],
                    "taskRoles": {"work": {"dockerImage": "img", "commands": ["export GREETING=hello"],
                                           "resourcePerInstance": {"cpu": 7, "memoryMB": 100, "gpu": 0}}},
                    "extras": {"tensorBoard": True}}
        folder = self.trial("x/1/0", "echo $GREETING", protocol=protocol, image="", memory_mb=0)
        self.assertEqual(self.agent.wait_end("x/1/0").get("exit_code"), 0)
        self.assertEqual((folder / "stdout").read_text(), "hello\n")
        sent = self.pai.only.protocol
        self.assertEqual(sent["taskRoles"]["work"]["resourcePerInstance"], {"cpu": 7, "memoryMB": 100, "gpu": 0})
        self.assertEqual((sent["jobRetryCount"], sent["extras"]["tensorBoard"]), (0, True))

    def test_why_a_job_waits_is_told(self):
        self.pai.runs = False
        self.trial("x/1/0", "exit 0")
        self.agent.wait_note("x/1/0", "WAITING (AttemptCreationPending); virtual cluster default uses 8 of 8 GPUs, 60 of 64 CPUs")
        self.assertFalse(self.agent.of("x/1/0", "trial_started"))
        with self.pai.lock:
            self.pai.run(self.pai.only)
        self.assertEqual(self.agent.wait_end("x/1/0").get("exit_code"), 0)

    # ---- refusals ----------------------------------------------------------------------------------------------------

    def test_what_pai_refuses_ends_with_its_reason(self):
        self.trial("x/1/0", "true", virtual_cluster="nosuch")
        end = self.agent.wait_end("x/1/0")
        self.assertIn("Virtual cluster nosuch is not found", end["error"])
        self.assertFalse(end["lost"])

    def test_a_folder_that_is_not_on_the_storage_is_refused(self):
        self.trial("x/1/0", "true", local_mount=str(self.folder / "elsewhere"))
        self.assertIn("is not on the storage that the containers see", self.agent.wait_end("x/1/0")["error"])
        self.assertFalse(self.pai.asked("POST"))

    def test_a_storage_that_is_not_mounted_is_told(self):
        self.trial("x/1/0", "true", storage="")
        self.assertIn("is the storage mounted at containerStorageMountPoint?", self.agent.wait_end("x/1/0", 60)["error"])

    def test_a_token_that_others_can_read_is_not_used(self):
        self.token.chmod(0o644)
        self.trial("x/1/0", "true")
        self.agent.wait_note("x/1/0", "others can read the token")
        self.assertFalse(self.pai.asked(""))
        self.token.chmod(0o600)
        self.assertEqual(self.agent.wait_end("x/1/0", 60).get("exit_code"), 0)

    # ---- ends from outside -------------------------------------------------------------------------------------------

    def test_a_kill_reaches_every_process_and_the_trial_may_clean_up(self):
        folder = self.trial("x/1/0", "trap 'touch $NNI_SYS_DIR/cleaned; exit 9' TERM; sleep 1000 & echo $! > $NNI_SYS_DIR/child; wait")
        child = int(wait_for(lambda: (folder / "child").exists() and (folder / "child").read_text().strip(), "it runs", 30))
        self.agent.wait_started("x/1/0")
        self.agent.kill_trial("x/1/0", grace_ms=20000)
        end = self.agent.wait_end("x/1/0")
        self.assertEqual((end.get("exit_code"), end["killed_by"], end["error"]), (9, "user", ""))
        self.assertTrue((folder / "cleaned").exists())
        wait_for(lambda: not is_alive(child), "the child has gone", 10)

    def test_a_trial_that_does_not_heed_sigterm_is_stopped_in_pai(self):
        folder = self.trial("x/1/0", "trap '' TERM; echo $$ > $NNI_SYS_DIR/pid; while :; do sleep 0.1; done")
        pid = int(wait_for(lambda: (folder / "pid").exists() and (folder / "pid").read_text().strip(), "it runs", 30))
        self.agent.wait_started("x/1/0")
        self.agent.kill_trial("x/1/0", grace_ms=500)
        end = self.agent.wait_end("x/1/0", 60)
        self.assertEqual((end.get("signal"), end["killed_by"]), (9, "user"))
        self.assertFalse(is_alive(pid))
        self.assertTrue(self.pai.asked("PUT .*/executionType"))

    def test_a_waiting_job_is_stopped(self):
        self.pai.runs = False
        self.trial("x/1/0", "true")
        self.agent.wait_note("x/1/0", "WAITING")
        self.agent.kill_trial("x/1/0")
        end = self.agent.wait_end("x/1/0")
        self.assertEqual((end["killed_by"], end["error"]), ("user", ""))
        self.assertEqual(self.pai.only.state, "STOPPED")

    def test_a_stop_in_the_portal_is_a_failure_that_says_so(self):
        self.running()
        with self.pai.lock:
            self.pai.execute(self.pai.only, '{"value": "STOP"}')
        end = self.agent.wait_end("x/1/0", 60)
        self.assertIn("stopped in PAI by somebody else", end["error"])
        self.assertEqual((end["lost"], end["killed_by"]), (False, ""))

    def test_a_failure_of_the_platform_is_a_lost_trial(self):
        self.pai.runs = False
        self.trial("x/1/0", "true")
        self.agent.wait_note("x/1/0", "WAITING")
        self.pai.fail(self.pai.only, "PLATFORM_FAILURE", -210, "PodNodeLost")
        end = self.agent.wait_end("x/1/0", 60)
        self.assertTrue(end["lost"], end)
        self.assertIn("PodNodeLost", end["error"])

    # ---- things that break -------------------------------------------------------------------------------------------

    def test_a_job_that_pai_starts_again_runs_once(self):
        folder = self.running(command="true")
        (folder / "runs").write_text("")
        self.pai.lose(self.pai.only)
        end = self.agent.wait_end("x/1/0", 60)
        self.assertTrue(end["lost"], end)
        self.assertIn("a second time", end["error"])
        self.assertEqual(self.agent.wait_metrics("x/1/0", 1), ["1"])

    def test_an_expired_token_ends_nothing_and_the_note_says_what_to_do(self):
        folder = self.running(command="exit 6")
        self.pai.token = "token-two"
        self.agent.wait_note("x/1/0", "PAI does not accept the token of ana (401")
        self.assertIn(f"write it into {self.token}", self.agent.notes["x/1/0"])
        self.assertNotIn("token-one", self.agent.notes["x/1/0"])
        self.trial("x/2/0", "exit 7")
        self.agent.wait_note("x/2/0", "not submitted yet: PAI does not accept the token")
        self.assertFalse(self.agent.of("x/1/0", "trial_exited") or self.agent.of("x/2/0", "trial_exited"))
        self.write_token("token-two")
        self.agent.wait_note("x/1/0", "RUNNING", 60)
        (folder / "go").touch()
        self.assertEqual(self.agent.wait_end("x/1/0").get("exit_code"), 6)
        self.assertEqual(self.agent.wait_end("x/2/0", 60).get("exit_code"), 7)

    def test_a_pai_that_is_away_ends_nothing(self):
        folder = self.running(command="metric 2; exit 6")
        self.pai.close()
        self.agent.wait_note("x/1/0", "cannot be asked: cannot connect")
        self.trial("x/2/0", "exit 7")
        self.agent.wait_note("x/2/0", "not submitted yet")
        (folder / "go").touch()
        self.assertEqual(self.agent.wait_end("x/1/0").get("exit_code"), 6)  # its folder tells
        self.assertEqual(self.agent.wait_metrics("x/1/0", 2), ["1", "2"])
        self.pai.open()
        self.assertEqual(self.agent.wait_end("x/2/0", 90).get("exit_code"), 7)

    def test_errors_of_the_server_are_tried_again(self):
        for status, code in ((500, "UnknownError"), (429, ""), (503, "")):
            trial_id = f"x/{status}/0"
            self.pai.trouble["POST"] = (status, {"code": code, "message": "not now"})
            self.trial(trial_id, "exit 4")
            self.agent.wait_note(trial_id, f"answers {status}: not now")
            self.pai.trouble.clear()
            self.assertEqual(self.agent.wait_end(trial_id, 60).get("exit_code"), 4)

    def test_a_submission_whose_answer_is_lost_is_made_once(self):
        self.pai.trouble["POST"] = "drop after"
        folder = self.trial("x/1/0", "echo ran >> $NNI_SYS_DIR/runs; sleep 3; exit 5")
        wait_for(lambda: self.pai.jobs, "PAI has taken it", 20)
        self.pai.trouble.clear()
        self.assertEqual(self.agent.wait_end("x/1/0", 60).get("exit_code"), 5)
        self.assertEqual((folder / "runs").read_text(), "ran\n")
        self.assertEqual(len(self.pai.jobs), 1)

    def test_an_answer_that_is_no_json_ends_nothing(self):
        folder = self.running(command="exit 2")
        self.pai.trouble["GET"] = (200, "<html>maintenance</html>")
        self.agent.wait_note("x/1/0", "something else than a list of jobs")
        self.pai.trouble.clear()
        self.agent.wait_note("x/1/0", "RUNNING", 60)
        (folder / "go").touch()
        self.assertEqual(self.agent.wait_end("x/1/0").get("exit_code"), 2)

    def test_a_list_that_is_behind_loses_nothing(self):
        folder = self.running(command="exit 8")
        self.pai.trouble[r"GET .*\?username"] = (200, [])
        before = len(self.pai.asked(r"GET .*\?username"))
        wait_for(lambda: len(self.pai.asked(r"GET .*\?username")) >= before + 4, "the list is asked for again and again", 60)
        self.assertFalse(self.agent.of("x/1/0", "trial_exited"))
        (folder / "go").touch()
        self.assertEqual(self.agent.wait_end("x/1/0").get("exit_code"), 8)

    def test_https_needs_a_certificate_that_is_trusted(self):
        self.pai.close()
        self.pai.port, self.pai.tls = 0, certificate(self.folder)
        self.pai.open()
        self.trial("x/1/0", "exit 3", ca_file=str(self.folder / "ca.pem"))
        self.assertEqual(self.agent.wait_end("x/1/0", 60).get("exit_code"), 3)
        asked = len(self.pai.requests)
        self.trial("x/2/0", "true")
        self.agent.wait_note("x/2/0", "its certificate is not trusted")
        self.assertEqual(len([one for one in self.pai.requests[asked:] if one[0] == "POST"]), 0)
        url = self.pai.url.replace("localhost", "127.0.0.1")
        self.trial("x/3/0", "true", ca_file=str(self.folder / "ca.pem"), url=url)
        self.agent.wait_note("x/3/0", "its certificate is for another host than 127.0.0.1")

    # ---- agents that are killed --------------------------------------------------------------------------------------

    def test_jobs_outlive_agents(self):
        folder = self.running(command="metric 2; exit 4")
        for _ in range(2):
            self.agent.kill()
            self.agent.start()
            self.assertEqual(self.agent.hello["running"], ["x/1/0"])
        self.agent.kill()
        (folder / "go").touch()
        wait_for(lambda: any(folder.glob(".pai/*/exit")), "the trial has ended without an agent", 20)
        self.agent.start()
        self.assertEqual(self.agent.wait_end("x/1/0").get("exit_code"), 4)
        self.assertEqual(self.agent.wait_metrics("x/1/0", 2), ["1", "2"])

    def test_an_agent_that_dies_while_it_submits(self):
        self.pai.trouble["POST"] = 3.0
        folder = self.trial("x/1/0", "echo ran >> $NNI_SYS_DIR/runs; exit 5")
        wait_for(lambda: self.pai.asked("POST"), "it is being submitted", 20)
        self.agent.kill()
        self.pai.trouble.clear()
        self.agent.start()
        self.assertEqual(self.agent.wait_end("x/1/0", 60).get("exit_code"), 5)
        wait_for(lambda: self.pai.under_way == 0, "the dead agent's request is carried out, too", 20)
        self.assertEqual((folder / "runs").read_text(), "ran\n")
        self.assertEqual(len(self.pai.jobs), 1)

    def test_agents_killed_anywhere_run_nothing_twice(self):
        count, folders = 6, []
        for turn in range(count):
            folders.append(self.trial(f"x/{turn}/0", "echo ran >> $NNI_SYS_DIR/runs; exit 5"))
            time.sleep(0.03 * turn)
            self.agent.kill()
            self.agent.start()
        for turn, folder in enumerate(folders):
            known = f"x/{turn}/0" in self.agent.hello["running"] or self.agent.of(f"x/{turn}/0", "trial_exited")
            if not known:
                self.trial(f"x/{turn}/0", "echo ran >> $NNI_SYS_DIR/runs; exit 5")
            end = self.agent.wait_end(f"x/{turn}/0", 60)
            runs = (folder / "runs").read_text() if (folder / "runs").exists() else ""
            if end["lost"]:
                self.assertEqual(runs, "", end)
            else:
                self.assertEqual((end.get("exit_code"), runs), (5, "ran\n"), end)

    def test_the_token_is_nowhere_else(self):
        folder = self.running(command="exit 0")
        found = subprocess.run(["grep", "-rl", "token-one", str(self.folder)], capture_output=True, text=True).stdout.split()
        self.assertEqual(found, [str(self.token)])
        self.assertNotIn(b"token-one", Path(f"/proc/{self.agent.pid}/cmdline").read_bytes())
        (folder / "go").touch()
        self.agent.wait_end("x/1/0")


if __name__ == "__main__":
    os.environ.setdefault("PYTHONDONTWRITEBYTECODE", "1")
    unittest.main()
