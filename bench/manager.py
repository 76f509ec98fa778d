#!/usr/bin/env python3
"""Measures lathed as NNI was measured: throughput of no-op trials, the manager's own time per trial, start-up, memory,
and the latency of every REST list at 500, 10,000 and 100,000 trials. Prints tables; asserts nothing.

    cmake --preset release -DLATHE_BENCH=ON && cmake --build build/release
    bench/manager.py [--bin build/release/bin] [--trials 10000] [--quick]
"""

import argparse
import http.client
import json
import os
import platform
import shutil
import signal
import socket
import sqlite3
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

# Microsoft NNI v3.0 on a machine of the same class (2 vCPU Xeon, 24 GiB, Debian 12): `true` as the trial.
NNI_TRIALS_PER_MINUTE = {1: 54, 2: 102, 8: 244}
NNI_GAP_MS = 1020
NNI_REST_READY_MS = 1300
NNI_RSS_MIB = 87 + 127
NNI_LIST_500_MS = 8.1


class Daemon:
    """A lathed on a free port and a data folder of its own."""

    def __init__(self, bin_dir, data_dir):
        self.bin_dir, self.data_dir = Path(bin_dir), Path(data_dir)
        self.start()

    def start(self):
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            self.port = probe.getsockname()[1]
        begin = time.perf_counter()
        self.process = subprocess.Popen(
            [self.bin_dir / "lathed", "--port", str(self.port), "--data-dir", self.data_dir],
            stdout=subprocess.DEVNULL, stderr=open(self.data_dir / "lathed.err", "ab"))
        while True:
            try:
                self.connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=60)
                if self.get("/healthz")[0] == 200:
                    break
            except OSError:
                if self.process.poll() is not None:
                    sys.exit((self.data_dir / "lathed.err").read_text())
                time.sleep(0.0005)
        self.ready_ms = (time.perf_counter() - begin) * 1e3

    def request(self, method, path, body=None):
        self.connection.request(method, path, body=body)
        answer = self.connection.getresponse()
        return answer.status, answer.read()

    def get(self, path):
        return self.request("GET", path)

    def json(self, method, path, body=None):
        status, text = self.request(method, path, body)
        if status >= 300:
            sys.exit(f"{method} {path}: {status} {text.decode()}")
        return json.loads(text)

    def rss_mib(self):
        for line in Path(f"/proc/{self.process.pid}/status").read_text().splitlines():
            if line.startswith("VmRSS"):
                return int(line.split()[1]) / 1024
        raise RuntimeError("no VmRSS")

    def run_experiment(self, command, trials, concurrency):
        """Creates an experiment, waits for DONE by its event stream; returns (id, wall seconds)."""
        config = {"trialCommand": command, "trialConcurrency": concurrency, "maxTrialNumber": trials,
                  "searchSpace": {"x": {"_type": "uniform", "_value": [0, 1]}}, "tuner": {"name": "Random"},
                  "trainingService": {"platform": "local"}, "trialCodeDirectory": str(self.data_dir)}
        begin = time.perf_counter()
        identity = self.json("POST", "/api/v1/experiments", json.dumps(config))["id"]
        while (status := self.json("GET", f"/api/v1/experiments/{identity}")["status"]) != "DONE":
            if status in ("ERROR", "STOPPED"):
                sys.exit(f"experiment {identity} is {status}")
            time.sleep(0.02)
        return identity, time.perf_counter() - begin

    def stop(self):
        self.process.send_signal(signal.SIGTERM)
        self.process.wait(60)


def machine():
    model = next((line.split(":", 1)[1].strip() for line in open("/proc/cpuinfo") if line.startswith("model name")), "?")
    memory = int(open("/proc/meminfo").readline().split()[1]) / 1024 / 1024
    return f"{os.cpu_count()} x {model}, {memory:.0f} GiB, {platform.system()} {platform.release()}"


def table(title, header, rows):
    cells = [header] + [[str(cell) for cell in row] for row in rows]
    widths = [max(len(row[column]) for row in cells) for column in range(len(header))]
    print(f"\n{title}")
    for index, row in enumerate(cells):
        print("  " + "  ".join(cell.ljust(width) for cell, width in zip(row, widths)).rstrip())
        if index == 0:
            print("  " + "  ".join("-" * width for width in widths))


def percentile(values, share):
    return sorted(values)[min(len(values) - 1, int(len(values) * share))]


def bench_throughput(daemon, trials):
    rows = []
    for concurrency in (1, 2, 8):
        count = trials if concurrency == 8 else max(trials // 4, 200)
        _, seconds = daemon.run_experiment("true", count, concurrency)
        bare = float(subprocess.run([daemon.bin_dir / "bare-spawn", str(count), str(concurrency)], check=True,
                                    capture_output=True, text=True).stdout)
        ours, nni = count / seconds * 60, NNI_TRIALS_PER_MINUTE[concurrency]
        rows.append([concurrency, count, f"{ours:,.0f}", f"{bare:,.0f}", f"{ours / bare:.2f}", nni, f"{ours / nni:.0f} x"])
    table("No-op trials a minute (`true`, create to DONE)",
          ["concurrency", "trials", "Lathe", "bare bash spawn", "share of bare", "NNI 3.0", "Lathe / NNI"], rows)


def bench_gap(daemon, trials):
    stamps = daemon.data_dir / "stamps"
    daemon.run_experiment(f"exec {daemon.bin_dir.resolve()}/stamp {stamps}", trials, 1)
    times = sorted(tuple(map(int, line.split())) for line in stamps.read_text().splitlines())
    gaps = [(start - end) / 1e6 for (_, end), (start, _) in zip(times, times[1:])]
    stamps.unlink()
    subprocess.run([daemon.bin_dir / "bare-spawn", "200", "1"], check=True, capture_output=True)
    bare = 60e3 / float(subprocess.run([daemon.bin_dir / "bare-spawn", "1000", "1"], check=True, capture_output=True,
                                       text=True).stdout)
    median = statistics.median(gaps)
    table("One slot, from a trial's last instruction to the next one's first (ms; bash start included)",
          ["trials", "median", "p90", "p99", "bare spawn + wait", "NNI 3.0", "NNI / Lathe"],
          [[trials, f"{median:.2f}", f"{percentile(gaps, 0.9):.2f}", f"{percentile(gaps, 0.99):.2f}", f"{bare:.2f}",
            NNI_GAP_MS, f"{NNI_GAP_MS / median:.0f} x"]])


def grow(daemon, identity, wanted):
    """Copies finished trials inside the database until the experiment has `wanted` of them."""
    daemon.stop()
    database = sqlite3.connect(daemon.data_dir / "lathe.sqlite")
    columns = [name for _, name, _, _, _, key in database.execute("PRAGMA table_info(trials)") if not key]
    (have,) = database.execute("SELECT count(*) FROM trials WHERE experiment_id = ?", (identity,)).fetchone()
    sequence = have
    template = database.execute(f"SELECT {', '.join(columns)} FROM trials WHERE experiment_id = ? LIMIT 1", (identity,)).fetchone()
    rows = []
    while sequence < wanted:
        row = dict(zip(columns, template))
        row.update(id=f"z{sequence:07d}", sequence=sequence)
        if "metric" in row:
            row["metric"] = (sequence * 7919 % 100003) / 100003
        rows.append([row[column] for column in columns])
        sequence += 1
    database.executemany(f"INSERT INTO trials ({', '.join(columns)}) VALUES ({', '.join('?' * len(columns))})", rows)
    database.execute("UPDATE experiments SET next_sequence = ? WHERE id = ?", (wanted, identity))
    database.commit()
    database.close()
    daemon.start()


def bench_lists(daemon, identity, counts):
    base = f"/api/v1/experiments/{identity}"
    rows = []
    for count in counts:
        grow(daemon, identity, count)
        cursor_path = f"{base}/trials?limit=100"
        for _ in range(min(count // 100 // 2, 50)):
            cursor_path = f"{base}/trials?limit=100&cursor=" + daemon.json("GET", cursor_path)["nextCursor"]
        paths = {"experiments": "/api/v1/experiments", "experiment": base, "trials, first page": f"{base}/trials?limit=100",
                 "trials, deep page": cursor_path, "trials, newest": f"{base}/trials?limit=100&sort=-sequence",
                 "trials, best": f"{base}/trials?limit=100&sort=-metric",
                 "trials, SUCCEEDED": f"{base}/trials?limit=100&status=SUCCEEDED",
                 "trials, FAILED": f"{base}/trials?limit=100&status=FAILED", "metrics": f"{base}/metrics?limit=100"}
        for name, path in paths.items():
            times = []
            for _ in range(200):
                begin = time.perf_counter()
                status, body = daemon.get(path)
                times.append((time.perf_counter() - begin) * 1e3)
                if status != 200:
                    sys.exit(f"{path}: {status} {body.decode()}")
            rows.append([f"{count:,}", name, len(body), f"{statistics.median(times):.2f}", f"{percentile(times, 0.99):.2f}"])
    table(f"REST, one client, pages of 100 (ms; NNI 3.0: all 500 trials in {NNI_LIST_500_MS} ms, growing with each)",
          ["trials", "list", "bytes", "p50", "p99"], rows)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--bin", default="build/release/bin")
    parser.add_argument("--trials", type=int, default=10000, help="no-op trials at concurrency 8 (default 10000)")
    parser.add_argument("--lists", action="store_true", help="only the latency of the lists")
    parser.add_argument("--quick", action="store_true", help="a tenth of everything")
    arguments = parser.parse_args()
    trials = arguments.trials // (10 if arguments.quick else 1)
    counts = (500, 10_000) if arguments.quick else (500, 10_000, 100_000)

    print(machine())
    data_dir = Path(tempfile.mkdtemp(prefix="lathe-bench-"))
    try:
        starts = []
        for _ in range(5):
            daemon = Daemon(arguments.bin, data_dir)
            starts.append(daemon.ready_ms)
            idle = daemon.rss_mib()
            if len(starts) < 5:
                daemon.stop()
        if not arguments.lists:
            bench_throughput(daemon, trials)
            bench_gap(daemon, max(trials // 10, 200))
            count = trials + 2 * max(trials // 4, 200) + max(trials // 10, 200)
            table("Start and memory", ["what", "Lathe", "NNI 3.0"],
                  [["process start to first REST answer, median of 5 (ms)", f"{statistics.median(starts):.0f}", NNI_REST_READY_MS],
                   ["RSS idle (MiB)", f"{idle:.1f}", NNI_RSS_MIB],
                   [f"RSS after {count:,} trials (MiB)", f"{daemon.rss_mib():.1f}", "-"]])
        identity, _ = daemon.run_experiment("true", 500, 8)
        bench_lists(daemon, identity, counts)
        daemon.stop()
    finally:
        shutil.rmtree(data_dir, ignore_errors=True)


if __name__ == "__main__":
    main()
