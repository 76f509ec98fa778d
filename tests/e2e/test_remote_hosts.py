"""Experiments whose trials run on several machines over real sshd: they finish, whatever becomes of one of the machines."""

import json
import os
import re
import shutil
import sqlite3
import stat
import subprocess
import threading
import unittest
from pathlib import Path

import sshd
from harness import BASH_REPORT, BIN, PATIENCE, LatheTest, config, is_alive, program, wait_for


class RemoteTest(LatheTest):
    """A daemon with `count` machines to reach; each test has its own."""

    own_daemon = True
    count = 1
    lost_after = "2s"

    def make_hosts(self):
        return sshd.SshHosts(self.count)

    def setUp(self):
        if sshd.missing():
            raise unittest.SkipTest(f"OPENSSH-SERVER IS NOT INSTALLED: {', '.join(sshd.missing())}")
        self.hosts = self.make_hosts()
        self.addCleanup(self.hosts.stop)
        self.hosts.start()
        type(self).daemon_arguments = ("--ssh-config", str(self.hosts.config), "--lost-after", self.lost_after)
        super().setUp()
        self.code = self.scratch / "code"
        self.code.mkdir()

    def remote(self, body, service=None, **more):
        """Trials that find their script in the copy of the code folder; `body` runs on the host."""
        (self.code / "trial.sh").write_text(BASH_REPORT + body)
        return config("bash trial.sh", trialCodeDirectory=str(self.code), trainingService=service or self.hosts.service(slots=2), **more)

    def gated(self, **more):
        """Trials that leave `started-ID` behind and end once the file `gate` is there."""
        return self.remote(f'echo "$LATHE_E2E_HOST" > "{self.scratch}/started-$NNI_TRIAL_JOB_ID"\n'
                           f'echo run >> "{self.scratch}/runs-$NNI_TRIAL_JOB_ID"\nreport PERIODICAL 0 0.1\n'
                           f'while [ ! -e "{self.scratch}/gate" ]; do sleep 0.05; done\nreport FINAL 0 1\n', **more)

    def trial(self, experiment, trial):
        return self.client.get(f"experiments/{experiment}/trials/{trial}")

    def wait_reason(self, experiment, text, seconds=20.0):
        """The first trial's reason to wait, once `text` is in it."""

        def told():
            trials = self.client.trials(experiment)
            reason = trials[0].get("waitReason", "") if trials else ""
            return reason if text in reason else None

        return wait_for(told, f"a trial waits because of {text!r}", seconds)


class RemoteHosts(RemoteTest):
    count = 3

    # ---- all is well -------------------------------------------------------------------------------------------------

    def test_an_experiment_uses_all_machines_and_its_files_come_back(self):
        (self.code / ".latheignore").write_text("*.bin\n")
        (self.code / "data.bin").write_text("stays here")
        (self.code / "helper.txt").write_text("goes there")
        body = self.remote('echo "$LATHE_E2E_HOST"; pwd; ls; echo made > "$NNI_OUTPUT_DIR/result.txt"; cat helper.txt >&2; echo changed > helper.txt\n'
                           "sleep 0.3\nreport PERIODICAL 0 0.25\nreport FINAL 0 0.75\n", maxTrialNumber=18, trialConcurrency=6)
        experiment = self.run_to(body, seconds=60)
        trials = self.client.trials(experiment["id"])
        self.assertEqual({t["status"] for t in trials}, {"SUCCEEDED"})
        self.assertEqual({t["metric"] for t in trials}, {0.75})
        self.assertEqual({t["host"] for t in trials}, {host.name for host in self.hosts})
        working_folders = set()
        for trial in trials:
            folder = Path(trial["directory"])
            told, working_folder, *listed = (folder / "stdout").read_text().split()
            self.assertEqual(told, trial["host"])
            self.assertEqual(sorted(listed), ["helper.txt", "trial.sh"])
            self.assertEqual((folder / "stderr").read_text(), "goes there", "no trial sees another's changes")
            self.assertEqual((folder / "result.txt").read_text(), "made\n")
            working_folders.add(working_folder)
        self.assertEqual(len(working_folders), len(trials), "each trial has a copy of its own")

    def test_two_experiments_share_the_slots(self):
        service = self.hosts.service(slots=1)
        first = self.client.create(self.gated(service=service, maxTrialNumber=6, trialConcurrency=6))["id"]
        self.started(3)
        second = self.client.create(self.gated(service=service, maxTrialNumber=2, trialConcurrency=2))["id"]
        reason = self.wait_reason(second, "no host has room")
        for host in self.hosts:
            self.assertIn(f"the one trial slot of {host.name} is in use", reason)
        self.open_gate()
        for experiment in (first, second):
            self.client.wait_status(experiment, "DONE", 60)

    # ---- something dies ----------------------------------------------------------------------------------------------

    def test_a_machine_that_dies_half_way_costs_only_the_attempts_it_ran(self):
        experiment = self.client.create(self.gated(maxTrialNumber=9, trialConcurrency=6))["id"]
        self.started(6)
        lost = self.hosts[1]
        hit = {t["id"] for t in self.client.trials(experiment, status="RUNNING") if t["host"] == lost.name}
        self.assertEqual(len(hit), 2)
        lost.power_off()
        wait_for(lambda: all(self.trial(experiment, t)["attempt"] == 1 for t in hit), "its trials are put back", 20)
        self.open_gate()
        done = self.client.wait_status(experiment, "DONE", 60)
        self.assertEqual(done["counts"]["SUCCEEDED"], 9)
        for trial in self.client.trials(experiment):
            record = self.trial(experiment, trial["id"])
            runs = (self.scratch / f"runs-{trial['id']}").read_text().splitlines()
            self.assertEqual(len(runs), 2 if trial["id"] in hit else 1)
            if trial["id"] in hit:
                self.assertEqual([(a["attempt"], a["host"]) for a in record["attempts"]], [(0, lost.name)])
                self.assertIn(f"host {lost.name} was lost", record["attempts"][0]["reason"])
                self.assertNotEqual(record["host"], lost.name)
            else:
                self.assertNotIn("attempts", record)
            metrics = self.client.metrics(experiment, trial["id"])
            self.assertCountEqual([(m["type"], m["sequence"]) for m in metrics], [("PERIODICAL", 0), ("FINAL", 0)])

    def test_a_link_that_breaks_costs_nothing(self):
        experiment = self.client.create(self.gated(maxTrialNumber=6, trialConcurrency=6))["id"]
        self.started(6)
        for host in self.hosts:
            host.cut_connections()
        self.open_gate()
        done = self.client.wait_status(experiment, "DONE", 60)
        self.assertEqual(done["counts"]["SUCCEEDED"], 6)
        self.assertEqual({t["attempt"] for t in self.client.trials(experiment)}, {0})

    def test_a_killed_daemon_adopts_the_trials_of_all_machines(self):
        experiment = self.client.create(self.gated(maxTrialNumber=6, trialConcurrency=6))["id"]
        self.started(6)
        self.daemon.kill()
        self.open_gate()
        self.daemon.start()
        done = self.client.wait_status(experiment, "DONE", 60)
        self.assertEqual(done["counts"]["SUCCEEDED"], 6)
        for trial in self.client.trials(experiment):
            self.assertEqual(trial["attempt"], 0)
            self.assertEqual((self.scratch / f"runs-{trial['id']}").read_text(), "run\n")

    def test_a_trial_is_cancelled_where_it_runs(self):
        experiment = self.client.create(self.gated(maxTrialNumber=1))["id"]
        trial = self.started(1)[0]
        pid = self.client.pid(experiment, trial)
        self.client.post(f"experiments/{experiment}/trials/{trial}/cancel")
        wait_for(lambda: self.trial(experiment, trial)["status"] == "USER_CANCELED", "it is cancelled")
        self.assertFalse(is_alive(pid))

    # ---- looking after machines --------------------------------------------------------------------------------------

    def test_a_drained_machine_gets_nothing_new(self):
        experiment = self.client.create(self.gated(maxTrialNumber=12, trialConcurrency=6))["id"]
        self.started(6)
        drained = self.hosts[0]
        answer = self.lathectl("host", "drain", drained.name)
        self.assertEqual(answer.returncode, 0, answer.stderr)
        hosts = {host["id"]: host for host in self.client.get("hosts")["items"]}
        self.assertEqual(set(hosts), {"local", *(host.name for host in self.hosts)})
        self.assertTrue(hosts[drained.name]["drained"] and hosts[drained.name]["connected"])
        self.assertEqual({host["trials"].get(experiment, 0) for name, host in hosts.items() if name != "local"}, {2})
        self.assertGreater(hosts[drained.name]["diskFree"], 0)
        self.open_gate()
        self.client.wait_status(experiment, "DONE", 60)
        trials = self.client.trials(experiment)
        self.assertEqual(sum(t["host"] == drained.name for t in trials), 2, "those that ran there already")
        self.daemon.terminate()
        self.daemon.start()
        again = self.client.create(self.remote("report FINAL 0 1\n", maxTrialNumber=3, trialConcurrency=3))["id"]
        self.client.wait_status(again, "DONE", 60)
        self.assertNotIn(drained.name, {t["host"] for t in self.client.trials(again)}, "draining outlives the daemon")

    def test_a_test_tells_step_by_step_what_is_wrong(self):
        good, closed, unknown = self.hosts
        self.hosts.trust(good, closed)
        closed.power_off()
        experiment = self.client.create(self.gated(maxTrialNumber=1, service={"platform": "remote", "machineList": [good.machine()]}))["id"]
        self.started(1)

        def checks(host, code):
            answer = self.lathectl("host", "test", host.name, "-o", "json")
            self.assertEqual(answer.returncode, code, answer.stderr)
            return {check["step"]: check for check in json.loads(answer.stdout)["checks"]}

        found = checks(good, 0)
        self.assertEqual({found[step]["verdict"] for step in ("connection", "host key", "login", "folder", "disk", "agent")}, {"OK"})
        found = checks(closed, 1)
        self.assertEqual(found["connection"]["verdict"], "FAILED")
        self.assertIn("is sshd running there?", found["connection"]["detail"])
        found = checks(unknown, 1)
        self.assertEqual((found["connection"]["verdict"], found["host key"]["verdict"], found["login"]["verdict"]), ("OK", "FAILED", "SKIPPED"))
        self.open_gate()
        self.client.wait_status(experiment, "DONE", 60)

    # ---- who is that? ------------------------------------------------------------------------------------------------

    def test_an_unknown_host_key_is_refused_until_somebody_vouches_for_it(self):
        self.hosts.trust()
        host = self.hosts[0]
        service = {"platform": "remote", "machineList": [host.machine()]}
        experiment = self.client.create(self.remote("report FINAL 0 1\n", service=service, maxTrialNumber=1))["id"]
        reason = self.wait_reason(experiment, "host key")
        self.assertIn(f"the host key of {host.name} is not known: connect once by hand (ssh -p {host.port} {host.user}@127.0.0.1)", reason)
        self.assertEqual(host.agents(), [])
        self.hosts.trust(host)
        self.client.wait_status(experiment, "DONE", 60)

    def test_a_changed_host_key_is_refused(self):
        host = self.hosts[0]
        host.power_off()
        host.new_host_key()
        host.start()
        service = {"platform": "remote", "machineList": [host.machine()]}
        experiment = self.client.create(self.remote("report FINAL 0 1\n", service=service, maxTrialNumber=1))["id"]
        reason = self.wait_reason(experiment, "has changed")
        self.assertIn("may be an attack", reason)
        self.assertIn(f"ssh-keygen -R '[127.0.0.1]:{host.port}'", reason)

    def test_a_machine_that_does_not_listen_says_so(self):
        host = self.hosts[0]
        host.power_off()
        service = {"platform": "remote", "machineList": [host.machine()]}
        experiment = self.client.create(self.remote("report FINAL 0 1\n", service=service, maxTrialNumber=1))["id"]
        self.wait_reason(experiment, f"nothing listens at {host.name}: is sshd running there?")
        host.start()
        self.client.wait_status(experiment, "DONE", 60)


class Agents(RemoteTest):
    """Which agent runs over there."""

    def test_the_agent_is_brought_when_it_is_missing_and_when_it_is_another_one(self):
        host = self.hosts[0]
        installed = host.home / ".lathe" / "bin"
        self.run_to(self.remote("report FINAL 0 1\n", maxTrialNumber=1), seconds=60)
        first = list(installed.iterdir())
        self.assertEqual(len(first), 1)
        self.assertEqual(first[0].read_bytes(), (BIN / "lathe-agent").read_bytes())
        self.daemon.terminate()
        # Another build of it: one more byte behind an executable's end changes nothing but its hash.
        other = self.scratch / "lathe-agent"
        shutil.copy(BIN / "lathe-agent", other)
        with open(other, "ab") as file:
            file.write(b"\0")
        self.daemon.arguments += ["--agent", str(other)]
        self.daemon.start()
        experiment = self.client.create(self.gated(maxTrialNumber=1))["id"]
        self.started(1)
        self.assertEqual(len(list(installed.iterdir())), 2)
        running = {os.readlink(f"/proc/{pid}/exe") for pid in host.agents()}
        self.assertTrue(running and all(Path(exe) != first[0] for exe in running), running)
        self.open_gate()
        self.client.wait_status(experiment, "DONE", 60)


class Compression(RemoteTest):
    """The built-in trial on machines that have neither it nor LibTorch."""

    count = 2

    def test_a_model_is_compressed_elsewhere_and_comes_back(self):
        example = self.scratch / "lenet"
        example.mkdir()
        subprocess.run([program("lenet-example"), "--directory", str(example), "--epochs", "1"], check=True, capture_output=True, timeout=120 * PATIENCE)

        def part(name):
            return {"images": str(example / f"data/{name}-images-idx3-ubyte"), "labels": str(example / f"data/{name}-labels-idx1-ubyte"), "range": [0, 500]}

        experiment = self.run_to({
            "searchSpace": {"algorithm": {"_type": "choice", "_value": [{"_name": "l1", "sparsity": {"_type": "uniform", "_value": [0.5, 0.5001]}}]}},
            "trialConcurrency": 2, "maxTrialNumber": 4, "tuner": {"name": "Random", "classArgs": {"seed": 1}},
            "trialCodeDirectory": str(example), "trainingService": self.hosts.service(slots=1),
            "compression": {"model": str(example / "lenet.pt"), "inputShape": [1, 1, 28, 28],
                            "data": {"format": "idx", "train": part("train"), "test": part("test")},
                            "finetuning": {"epochs": 1}, "latency": {"runs": 3, "warmup": 1},
                            "configList": [{"exclude": True, "op_names": ["fc2"]}]},
        }, seconds=240)
        self.assertEqual(experiment["baseline"]["parameters"], 431080)
        trials = self.client.trials(experiment["id"])
        self.assertEqual({t["status"] for t in trials}, {"SUCCEEDED"})
        self.assertEqual({t["host"] for t in trials}, {host.name for host in self.hosts})
        for trial in trials:
            self.assertLess(trial["finalMetric"]["parameters"], 431080 / 3)
            folder = Path(trial["directory"])
            self.assertGreater((folder / "compressed.pt").stat().st_size, 10_000)
            self.assertIn("speedup", (folder / "report.json").read_text())


class Secrets(RemoteTest):
    """Passwords and passphrases are nowhere to be seen."""

    secret = "Tr0ub4dor-and-3"

    def setUp(self):
        super().setUp()
        self._seen, self._over = set(), threading.Event()
        self._watch = threading.Thread(target=self._look_at_processes, daemon=True)
        self._watch.start()
        self.addCleanup(self._watch.join)
        self.addCleanup(self._over.set)

    def _look_at_processes(self):
        """Every command line and environment that there is, again and again."""
        while not self._over.is_set():
            for entry in Path("/proc").iterdir():
                if not entry.name.isdigit() or int(entry.name) == os.getpid():
                    continue
                for name in ("cmdline", "environ"):
                    try:
                        if self.secret.encode() in (entry / name).read_bytes():
                            self._seen.add((entry / "cmdline").read_bytes())
                    except OSError:
                        pass

    def assert_nowhere(self, experiment):
        self.assertEqual(self._seen, set())
        answers = [self.client.request("GET", f"experiments/{experiment}"), self.client.request("GET", "log"),
                   self.client.request("GET", f"experiments/{experiment}/trials"), self.client.request("GET", "hosts")]
        for answer in answers:
            self.assertNotIn(self.secret, answer.text)
        for file in self.folder.rglob("*"):
            if not file.is_file() or file.is_relative_to(self.daemon.data / "secrets") or file.is_relative_to(self.scratch):
                continue
            self.assertNotIn(self.secret.encode(), file.read_bytes(), file)
        for file in (self.daemon.data / "secrets").iterdir():
            self.assertEqual(stat.S_IMODE(file.stat().st_mode) & 0o077, 0, file)

    def test_a_key_with_a_passphrase(self):
        key = self.scratch / "locked_key"
        sshd.make_key(key, self.secret)  # whose command line has it
        self._seen.clear()
        (self.hosts[0].folder / "authorized_keys").write_text("")
        self.hosts[0].authorize(key)
        service = self.hosts.service(sshKeyFile=str(key), sshPassphrase=self.secret)
        experiment = self.run_to(self.remote("report FINAL 0 1\n", service=service, maxTrialNumber=2), seconds=60)
        self.assert_nowhere(experiment["id"])

    def test_a_wrong_passphrase_is_a_reason_to_wait(self):
        key = self.scratch / "locked_key"
        sshd.make_key(key, "another one")
        (self.hosts[0].folder / "authorized_keys").write_text("")
        self.hosts[0].authorize(key)
        service = self.hosts.service(sshKeyFile=str(key), sshPassphrase=self.secret)
        experiment = self.client.create(self.remote("report FINAL 0 1\n", service=service, maxTrialNumber=1))["id"]
        self.wait_reason(experiment, "refused the login")
        self.assert_nowhere(experiment)

    def test_a_password(self):
        """An ssh that asks for the password as the real one does, compares it, and lets a key do the rest."""
        folder = self.scratch / "bin"
        folder.mkdir()
        expected = self.scratch / "expected"
        expected.write_text(self.secret + "\n")
        (folder / "ssh").write_text('#!/bin/bash\ncase "$*" in *ControlMaster=yes*)\n'
                                    f'  "$SSH_ASKPASS" "root@127.0.0.1\'s password: " | cmp -s - "{expected}" || {{ echo "Permission denied" >&2; exit 255; }}\n'
                                    f'esac\nexec {sshd.find("ssh")} "$@"\n')
        (folder / "ssh").chmod(0o755)
        self.daemon.terminate()
        before = os.environ["PATH"]
        os.environ["PATH"] = f"{folder}:{before}"
        self.addCleanup(os.environ.__setitem__, "PATH", before)
        self.daemon.start()
        wrong = self.client.create(self.remote("report FINAL 0 1\n", service=self.hosts.service(password="guess"), maxTrialNumber=1))["id"]
        self.wait_reason(wrong, "refused the login")
        self.client.post(f"experiments/{wrong}/stop")
        self.client.wait_status(wrong, "STOPPED")
        right = self.remote("report FINAL 0 1\n", service=self.hosts.service(password=self.secret), maxTrialNumber=2)
        experiment = self.run_to(right, seconds=60)
        self.assert_nowhere(experiment["id"])
        with sqlite3.connect(self.daemon.data / "lathe.sqlite") as database:
            stored = database.execute("SELECT config FROM experiments WHERE id = ?", (experiment["id"],)).fetchone()[0]
        self.assertIsNone(re.search("password", stored))


if __name__ == "__main__":
    unittest.main()
