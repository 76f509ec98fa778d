"""Runs lathe-trial alone, without a daemon, in the environment that docs/trial-protocol.md promises to a trial."""

import json
import os
import subprocess
from pathlib import Path

from harness import PATIENCE, program


class TrialFailed(AssertionError):
    """lathe-trial ended with an error; the message is its own."""


def environment(folder, config_file, baseline):
    name = Path(folder).name
    return {**os.environ, "NNI_PLATFORM": "local", "NNI_EXP_ID": "e2e", "NNI_SYS_DIR": str(folder), "NNI_OUTPUT_DIR": str(folder),
            "NNI_TRIAL_JOB_ID": name, "NNI_TRIAL_SEQ_ID": "0", "NNI_CODE_DIR": str(folder), "LATHE_EXPERIMENT_ID": "e2e",
            "LATHE_TRIAL_ID": name, "LATHE_TRIAL_DIRECTORY": str(folder), "LATHE_COMPRESSION_CONFIG": str(config_file),
            "LATHE_BASELINE": str(baseline), "OMP_WAIT_POLICY": "passive"}


class TrialRuns:
    """Trials of one compression block, each in a folder of its own below `folder`. Threads may run several at once."""

    def __init__(self, folder, compression):
        self.folder = Path(folder)
        self.folder.mkdir(parents=True, exist_ok=True)
        self.config = self.folder / "compression.json"
        self.baseline = self.folder / "baseline.json"
        self.config.write_text(json.dumps(compression))

    def prepare(self, seconds=120):
        """Measures the original, so that no trial has to; what is known about it."""
        self._execute("prepare", self._make_folder("preparation"), seconds)
        return json.loads(self.baseline.read_text())

    def run(self, name, algorithm, seconds=300):
        """One trial; its report, and the folder of its files under "folder"."""
        folder = self._make_folder(name)
        record = {"parameter_id": 0, "parameter_source": "algorithm", "parameters": {"algorithm": algorithm}, "parameter_index": 0}
        (folder / "parameter.cfg").write_text(json.dumps(record))
        self._execute("run", folder, seconds)
        return {**json.loads((folder / "report.json").read_text()), "folder": folder}

    def _make_folder(self, name):
        folder = self.folder / name
        (folder / ".nni").mkdir(parents=True)
        return folder

    def _execute(self, command, folder, seconds):
        ended = subprocess.run([program("lathe-trial"), command], cwd=folder, stdin=subprocess.DEVNULL, capture_output=True, text=True,
                               env=environment(folder, self.config, self.baseline), timeout=seconds * PATIENCE)
        if ended.returncode:
            raise TrialFailed(f"lathe-trial {command} in {folder.name} ended with {ended.returncode}: {ended.stderr or ended.stdout}")
