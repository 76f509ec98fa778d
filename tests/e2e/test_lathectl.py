"""lathectl against the real daemon: commands, output, exit codes."""

import fcntl
import json
import os
import pty
import select
import signal
import subprocess
import termios
import time
import unittest

from harness import PATIENCE, LatheTest, program


class Commands(LatheTest):
    def config_file(self, body):
        path = self.scratch / "experiment.json"
        path.write_text(json.dumps(body))
        return str(path)

    def create(self, body, *arguments):
        return self.lathectl("create", "--config", self.config_file(body), *arguments)

    def new(self, body):
        result = self.create(body)
        self.assertEqual(result.returncode, 0, result.stderr)
        return result.stdout.strip()

    def wait_in_background(self, experiment):
        waiting = subprocess.Popen([program("lathectl"), "--url", self.daemon.url, "wait", experiment], stdout=subprocess.PIPE,
                                   stderr=subprocess.PIPE, text=True, env=self.daemon.environment())
        self.addCleanup(waiting.communicate)
        self.addCleanup(waiting.kill)  # runs first
        return waiting

    def check(self, *arguments, code=0, **more):
        result = self.lathectl(*arguments, **more)
        self.assertEqual(result.returncode, code, result.stdout + result.stderr)
        return result

    def test_create_and_wait(self):
        result = self.create(self.python('report("FINAL", 0, parameters["x"])\n', maxTrialNumber=5), "--wait")
        self.assertEqual(result.returncode, 0, result.stderr)
        lines = result.stdout.splitlines()
        self.assertTrue(lines[0].startswith("RANK  TRIAL"), result.stdout)
        self.assertEqual(len(lines), 6)
        metrics = [float(line.split()[-1]) for line in lines[1:]]
        self.assertEqual(metrics, sorted(metrics, reverse=True))
        self.assertIn("5/5 trials", result.stderr)
        self.assertNotIn("\x1b", result.stdout + result.stderr)

    def test_wait_tells_a_bad_end(self):
        self.assertEqual(self.create(self.bash("exit 1\n", maxTrialNumber=2), "--wait").returncode, 4)
        experiment = self.new(self.gated(maxTrialNumber=2))
        self.started(2)
        self.check("stop", experiment)
        self.check("wait", experiment, code=4)

    def test_wait_survives_a_restart_of_the_daemon(self):
        experiment = self.new(self.gated(maxTrialNumber=2))
        self.started(2)
        port = self.daemon.port
        waiting = self.wait_in_background(experiment)
        self.assertIn("2 running", waiting.stderr.readline())
        self.daemon.kill()
        self.daemon.command = lambda p=port: type(self.daemon).command(self.daemon, p)
        self.daemon.start()
        self.open_gate()
        out, err = waiting.communicate(timeout=30 * PATIENCE)
        self.assertEqual(waiting.returncode, 0, err)
        self.assertIn("connected again", err)
        self.assertIn("RANK", out)

    def test_interrupted_waiting_leaves_the_experiment_alone(self):
        experiment = self.new(self.gated(maxTrialNumber=1))
        self.started(1)
        waiting = self.wait_in_background(experiment)
        waiting.stderr.readline()
        waiting.send_signal(signal.SIGINT)
        _, err = waiting.communicate(timeout=10 * PATIENCE)
        self.assertEqual(waiting.returncode, 130)
        self.assertIn("goes on", err)
        self.assertIn(self.client.experiment(experiment)["status"], ("RUNNING", "NO_MORE_TRIAL"))
        self.open_gate()
        self.check("wait", experiment)

    def test_config_errors_name_file_line_and_field(self):
        path = self.scratch / "bad.yml"
        path.write_text("trialCommand: 'true'\nsearchSpace:\n  x: {_type: choice, _value: []}\ntrialConcurrency: 0\ntuner: {name: Random}\n"
                        "trainingService: {platform: local}\n")
        result = self.check("create", "-c", str(path), code=1)
        lines = result.stderr.strip().splitlines()
        self.assertGreaterEqual(len(lines), 2, result.stderr)
        for line in lines:
            self.assertRegex(line, r"^" + str(path) + r":\d+: \S+: ")

    def test_exit_codes(self):
        self.check("experiment", "show", "nosuch00", code=1)
        self.check("no-such-command", code=2)
        self.check("--url", "http://127.0.0.1:1", "experiment", "list", code=3)
        elsewhere = self.lathectl("log", "daemon", "--tail", "1", environment={"LATHE_URL": "http://127.0.0.1:1"})
        self.assertEqual(elsewhere.returncode, 0, "--url wins over LATHE_URL")

    def test_a_life_by_commands(self):
        experiment = self.new(self.gated('echo hello; echo world >&2; report FINAL 0 0.5', maxTrialNumber=3, trialConcurrency=1))
        first = self.started(1)[0]
        self.assertIn(experiment, self.check("experiment", "list").stdout)
        self.assertIn("RUNNING", self.check("trial", "ls", experiment).stdout)
        added = self.check("trial", "add", experiment, "--parameters", '{"x": 0.5}').stdout.strip()
        self.check("update", "concurrency", experiment, "--value", "2")
        self.check("update", "trialnum", experiment, "--value", "4")
        self.check("update", "duration", experiment, "--value", "1h")
        space = self.scratch / "space.json"
        space.write_text('{"x": {"_type": "uniform", "_value": [0, 0.5]}}')
        self.check("update", "searchspace", experiment, "--filename", str(space))
        changed = json.loads(self.check("experiment", "show", experiment, "-o", "json").stdout)["config"]
        self.assertEqual((changed["trialConcurrency"], changed["maxTrialNumber"]), (2, 4))
        self.check("trial", "kill", experiment, first)
        self.client.wait_trials(experiment, 1, status="USER_CANCELED")
        self.open_gate()
        self.check("wait", experiment)
        shown = json.loads(self.check("trial", "show", experiment, added, "-o", "json").stdout)
        self.assertEqual(shown["parameters"], {"x": 0.5})
        self.assertIn("SUCCEEDED", self.check("trial", "show", experiment, added[:4]).stdout)
        self.assertEqual(self.check("log", "trial", experiment, added).stdout, "hello\n")
        self.assertEqual(self.check("log", "stderr", experiment, added).stdout, "world\n")
        self.assertEqual(self.check("log", "trial", experiment, added, "--stderr", "--follow").stdout, "world\n")
        self.assertEqual(len(json.loads(self.check("trial", "ls", experiment, "--tail", "2", "-o", "json").stdout)["items"]), 2)
        exported = self.scratch / "trials.csv"
        self.check("experiment", "export", experiment, "--type", "csv", "--filename", str(exported))
        self.assertEqual(len(exported.read_text().splitlines()), 5)
        self.assertIn("best", self.check("experiment", "show", experiment).stdout)
        self.check("experiment", "delete", experiment, "-y")
        self.check("experiment", "status", experiment, code=1)

    def test_top_restores_the_terminal(self):
        experiment = self.new(self.gated(maxTrialNumber=2))
        self.started(2)
        for leave in (b"q", b"\x03"):
            main, side = pty.openpty()
            before = termios.tcgetattr(side)
            process = subprocess.Popen([program("lathectl"), "--url", self.daemon.url, "top", experiment, "--time", "0.2"], stdin=side, stdout=side,
                                       stderr=side, start_new_session=True, preexec_fn=controlling_terminal, env={**self.daemon.environment(), "TERM": "xterm"})
            screen = read_until(main, b"2 running")
            self.assertIn(b"\x1b[?1049h", screen)
            os.write(main, leave)
            rest = read_until(main, b"\x1b[?1049l")
            self.assertIn(b"\x1b[?25h", rest)
            self.assertEqual(process.wait(10 * PATIENCE), 0)
            self.assertEqual(termios.tcgetattr(side), before)
            os.close(side)
            os.close(main)
        self.check("stop", experiment)


def controlling_terminal():
    fcntl.ioctl(0, termios.TIOCSCTTY, 0)


def read_until(descriptor, text, seconds=10):
    """What a terminal shows up to and including `text`."""
    seen, deadline = b"", time.monotonic() + seconds * PATIENCE
    while text not in seen:
        if time.monotonic() > deadline:
            raise AssertionError(f"{text!r} did not appear: {seen[-2000:]!r}")
        if select.select([descriptor], [], [], 0.1)[0]:
            seen += os.read(descriptor, 65536)
    return seen


if __name__ == "__main__":
    unittest.main()
