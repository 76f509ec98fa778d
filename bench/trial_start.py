#!/usr/bin/env python3
"""Measures how long a trial of a compression experiment takes to start, fresh and forked from a warm parent, and how many
trials a minute the LeNet example makes either way. Prints tables; asserts nothing.

    cmake/build release programs
    bench/trial_start.py [--bin build/release/bin] [--starts 30] [--trials 16]

A start is timed from the request (fresh: the fork of `lathe-trial run`) to the first line that the trial prints, which is
when the algorithm is known and before it computes anything; a fork also to when it is let go, which is where its code begins.
"""

import argparse
import array
import json
import os
import re
import shutil
import signal
import socket
import statistics
import subprocess
import sys
import tempfile
import time
import urllib.request
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
PARAMETERS = {"parameter_id": 0, "parameter_source": "algorithm", "parameter_index": 0,
              "parameters": {"algorithm": {"_name": "l1", "sparsity": 0.5}}}


def make_example(bin_dir, folder):
    subprocess.run([bin_dir / "lenet-example", "--directory", folder, "--epochs", "1"], check=True, stdout=subprocess.DEVNULL)
    shutil.copy(ROOT / "examples/lenet/experiment.yml", folder)


def compression_json(folder):
    """The block of examples/lenet/experiment.yml, as lathed writes it."""
    data = folder / "data"
    part = lambda name, **more: {"images": str(data / f"{name}-images-idx3-ubyte"), "labels": str(data / f"{name}-labels-idx1-ubyte"), **more}
    return {"model": str(folder / "lenet.pt"), "inputShape": [1, 1, 28, 28],
            "data": {"format": "idx", "train": part("train", range=[0, 3000]), "test": part("test")}}


class Trial:
    """The folder and environment of one trial."""

    def __init__(self, folder, config):
        self.folder = Path(tempfile.mkdtemp(dir=folder, prefix="trial-"))
        (self.folder / "parameter.cfg").write_text(json.dumps(PARAMETERS))
        self.environment = {**os.environ, "NNI_SYS_DIR": str(self.folder), "NNI_TRIAL_JOB_ID": "bench",
                            "LATHE_COMPRESSION_CONFIG": str(config), "OMP_WAIT_POLICY": "passive"}
        self.output, self.output_end = os.pipe()

    def wait_for_line(self):
        assert os.read(self.output, 1), "the trial printed nothing"
        return time.perf_counter()


def fresh_start(bin_dir, folder, config):
    trial = Trial(folder, config)
    begin = time.perf_counter()
    with open(os.devnull, "w") as nothing:
        process = subprocess.Popen([bin_dir / "lathe-trial", "run"], env=trial.environment, stdout=trial.output_end, stderr=nothing)
        os.close(trial.output_end)
        seconds = trial.wait_for_line() - begin
    process.kill()
    process.wait()
    os.close(trial.output)
    return seconds


class WarmParent:
    """`lathe-trial serve`, asked as lathe-agent asks it (proto/include/lathe/proto/warm_start.hpp)."""

    def __init__(self, bin_dir, config):
        self.keeper_program = bin_dir / "lathe-agent"
        self.control, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        environment = {**os.environ, "OMP_WAIT_POLICY": "passive", "OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1"}
        begin = time.perf_counter()
        self.process = subprocess.Popen([bin_dir / "lathe-trial", "serve", config], env=environment, stdin=theirs, stdout=subprocess.DEVNULL)
        theirs.close()
        assert self.control.recv(1) == b"R", "the warm parent did not become ready"
        self.ready_seconds = time.perf_counter() - begin

    def start(self, folder, config):
        trial = Trial(folder, config)
        begin = time.perf_counter()
        gate, child_gate = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        gate.setsockopt(socket.SOL_SOCKET, socket.SO_PASSCRED, 1)
        environment = os.memfd_create("environment")
        os.write(environment, b"".join(f"{k}={v}\0".encode() for k, v in trial.environment.items()))
        cwd, error = os.open(folder, os.O_RDONLY), os.open(os.devnull, os.O_WRONLY)
        record = os.memfd_create("exit record")
        keeper = os.open(self.keeper_program, os.O_PATH)
        descriptors = array.array("i", [cwd, trial.output_end, error, environment, child_gate.fileno(), record, keeper])
        self.control.sendmsg([b"F"], [(socket.SOL_SOCKET, socket.SCM_RIGHTS, descriptors)])
        child_gate.close()
        for descriptor in (cwd, error, environment, record, keeper, trial.output_end):
            os.close(descriptor)
        answer, ancillary, _, _ = gate.recvmsg(1024, 256)
        assert answer == b"H", answer
        pid = array.array("i", ancillary[0][2])[0]
        gate.send(b"\1")
        released = time.perf_counter() - begin
        seconds = trial.wait_for_line() - begin
        os.kill(pid, signal.SIGKILL)
        os.close(trial.output)
        gate.close()
        return released, seconds

    def memory_mib(self):
        text = Path(f"/proc/{self.process.pid}/smaps_rollup").read_text()
        return {key: int(re.search(rf"^{key}: *(\d+)", text, re.M).group(1)) / 1024 for key in ("Rss", "Pss")}

    def close(self):
        self.control.close()
        return self.process.wait()


def starts(bin_dir, folder, count):
    config = folder / "compression.json"
    config.write_text(json.dumps(compression_json(folder)))
    parent = WarmParent(bin_dir, config)
    fresh, forked, warm = [], [], []
    for _ in range(count):  # in turns, so that whatever else the machine does hits both alike
        fresh.append(fresh_start(bin_dir, folder, config) * 1e3)
        for times, seconds in zip((forked, warm), parent.start(folder, config)):
            times.append(seconds * 1e3)
    print("| start of a trial, ms | median | p90 | best |\n| --- | --- | --- | --- |")
    for name, times in (("fresh process, first line printed", fresh), ("fork of the warm parent, let go", forked),
                        ("fork of the warm parent, first line printed", warm)):
        times.sort()
        print(f"| {name} | {statistics.median(times):.1f} | {times[int(len(times) * 0.9)]:.1f} | {times[0]:.1f} |")
    memory = parent.memory_mib()
    print(f"\nWarm parent: ready after {parent.ready_seconds * 1e3:.0f} ms, {memory['Rss']:.0f} MiB resident ({memory['Pss']:.0f} MiB its share)")
    assert parent.close() == 0


def trials_per_minute(bin_dir, folder, trials):
    text = (folder / "experiment.yml").read_text()
    print("\n| LeNet example, trials a minute | fresh | warm |\n| --- | --- | --- |")
    data = folder / "lathed"
    data.mkdir()
    with open(folder / "lathed.out", "w") as out:
        daemon = subprocess.Popen([bin_dir / "lathed", "--port", "0", "--data-dir", data], stdout=out, stderr=out)
    while not (match := re.search(r"http://127\.0\.0\.1:\d+", (folder / "lathed.out").read_text())):
        if daemon.poll() is not None:
            sys.exit((folder / "lathed.out").read_text())
        time.sleep(0.02)
    try:
        for concurrency in (1, 2):
            row = []
            for warm in ("false", "true"):
                path = folder / "run.yml"
                path.write_text(text.replace("trialConcurrency: 2", f"trialConcurrency: {concurrency}")
                                .replace("maxTrialNumber: 16", f"maxTrialNumber: {trials}").rstrip() + f"\n  warm: {warm}\n")
                subprocess.run([bin_dir / "lathectl", "--url", match[0], "create", "--config", path, "--wait"], check=True, stdout=subprocess.DEVNULL)
                row.append(rate(match[0]))
            print(f"| concurrency {concurrency} | {row[0]:.0f} | {row[1]:.0f} |")
    finally:
        daemon.terminate()
        daemon.wait()


def rate(url):
    """Trials a minute of the newest experiment, from its first trial's start to its last one's end."""
    newest = read(url, "experiments")["items"][0]["id"]
    trials = read(url, f"experiments/{newest}/trials")["items"]
    return 60_000 * len(trials) / (max(t["endTime"] for t in trials) - min(t["startTime"] for t in trials))


def read(url, path):
    with urllib.request.urlopen(f"{url}/api/v1/{path}") as answer:
        return json.load(answer)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--bin", type=Path, default=ROOT / "build/release/bin")
    parser.add_argument("--starts", type=int, default=30)
    parser.add_argument("--trials", type=int, default=16)
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="lathe-bench-") as folder:
        folder, bin_dir = Path(folder), arguments.bin.resolve()
        make_example(bin_dir, folder)
        starts(bin_dir, folder, arguments.starts)
        if arguments.trials:
            trials_per_minute(bin_dir, folder, arguments.trials)


if __name__ == "__main__":
    main()
