#!/usr/bin/env python3
"""Measures what the dashboard asks of lathed: answers over many trials, memory, and many dashboards at once. Prints Markdown tables;
asserts nothing.

    bench/dashboard.py [answers] [dashboards] [browser] [--trials 100000] [--rounds 40] [--open 50]

The trials are written straight into the database of a stopped daemon: 20 parameters in a nested space, a final metric of 4 keys,
10 intermediate results for one trial in ten. LATHE_BIN names the folder of the programs; `browser` needs Chromium and webui/node_modules.
"""

import argparse
import json
import math
import os
import random
import sqlite3
import statistics
import subprocess
import sys
import threading
import time
from pathlib import Path

from fleet import Bench, table
from harness import config  # fleet.py has put its folder on the path

TICKS = os.sysconf("SC_CLK_TCK")
EXPERIMENT = "bench000"
ALGORITHMS = ("l1", "l2", "fpgm")
LAYERS = [f"conv{i}" for i in range(1, 5)]


def cpu_seconds(pid):
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / TICKS


def status_mib(pid, key):
    line = next(line for line in Path(f"/proc/{pid}/status").read_text().splitlines() if line.startswith(key))
    return int(line.split()[1]) / 1024


# ---- the experiment --------------------------------------------------------------------------------------------------------------


def search_space():
    spec = lambda kind, *value: {"_type": kind, "_value": list(value)}  # noqa: E731
    space = {"lr": spec("loguniform", 1e-5, 1e-1), "momentum": spec("uniform", 0.0, 0.99), "epochs": spec("randint", 1, 20),
             "batch": spec("choice", 16, 32, 64, 128), "warm": spec("choice", True, False),
             "schedule": spec("choice", "linear", "agp", "lottery")}
    branch = lambda name: {"_name": name, **{f"{layer}.sparsity": spec("uniform", 0.0, 0.9) for layer in LAYERS}}  # noqa: E731
    space["algorithm"] = spec("choice", *(branch(name) for name in ALGORITHMS))
    space |= {f"weight{i}": spec("uniform", -1.0, 1.0) for i in range(9)}
    return space


def parameters(draw):
    algorithm = {"_name": draw.choice(ALGORITHMS), **{f"{layer}.sparsity": draw.uniform(0, 0.9) for layer in LAYERS}}
    return {"lr": 10 ** draw.uniform(-5, -1), "momentum": draw.uniform(0, 0.99), "epochs": draw.randrange(1, 20),
            "batch": draw.choice((16, 32, 64, 128)), "warm": draw.random() < 0.5, "schedule": draw.choice(("linear", "agp", "lottery")),
            "algorithm": algorithm, **{f"weight{i}": draw.uniform(-1, 1) for i in range(9)}}


def final_metric(values, draw):
    kept = 1 - statistics.mean(values["algorithm"][f"{layer}.sparsity"] for layer in LAYERS)
    accuracy = 0.99 - 0.2 * (1 - kept) ** 3 - 0.01 * abs(math.log10(values["lr"]) + 3) + draw.gauss(0, 0.005)
    return {"default": accuracy, "accuracy": accuracy, "size_bytes": int(1.7e6 * kept), "latency_ms": 0.1 + 0.4 * kept}


def trial_rows(count, folder):
    draw = random.Random(1)
    for number in range(count):
        values = parameters(draw)
        failed = draw.random() < 0.02
        metric = None if failed else final_metric(values, draw)
        start = 1_700_000_000_000 + number * 800 + draw.randrange(200)
        letters = "abcdefghijklmnopqrstuvwxyz"
        name = "T" + "".join(letters[number // 26 ** place % 26] for place in range(4))
        yield {"experiment_id": EXPERIMENT, "sequence": number, "id": name, "status": "FAILED" if failed else "SUCCEEDED",
               "source": "algorithm", "parameters": json.dumps(values), "attempt": 0, "losses": 0, "agent": "", "kill_reason": "",
               "submit_ms": start - 50, "start_ms": start, "end_ms": start + 3000 + draw.randrange(500), "exit_code": int(failed),
               "reason": "exit code 1" if failed else "", "stderr_tail": "", "note": "", "metric": metric and metric["default"],
               "final_metric": json.dumps(metric) if metric else "", "intermediate_count": 0 if number % 10 else 10,
               "directory": f"{folder}/trials/{name}", "host": f"gpu{number % 4}", "gpus": "[]", "failures": 0}


def experiment_row(count, folder):
    settings = {"experimentName": "bench", "searchSpace": search_space(), "trialCommand": "true", "trialConcurrency": 4,
                "tuner": {"name": "Random", "classArgs": {"optimize_mode": "maximize", "seed": 1}},
                "maxRetries": {"lost": 1, "failed": 0}, "trainingService": {"platform": "local"}}
    return {"id": EXPERIMENT, "name": "bench", "status": "DONE", "config": json.dumps(settings), "created_ms": 1_700_000_000_000,
            "start_ms": 1_700_000_000_000, "end_ms": 1_700_000_000_000, "run_ms": 0, "next_sequence": count, "preparation": 0,
            "preparation_attempt": 0, "preparation_losses": 0, "preparation_agent": "", "preparation_host": "local", "baseline": "",
            "error": "", "warnings": "[]", "directory": str(folder)}


def insert(database, name, rows):
    statement = None
    for row in rows:
        statement = statement or f"INSERT INTO {name} ({', '.join(row)}) VALUES ({', '.join('?' * len(row))})"
        database.execute(statement, list(row.values()))


def load(bench, count):
    """Restarts the daemon over a database that has the experiment."""
    bench.daemon.terminate()
    folder = bench.daemon.data / "experiments" / EXPERIMENT
    folder.mkdir(parents=True)
    with sqlite3.connect(bench.daemon.data / "lathe.sqlite") as database:
        insert(database, "experiments", [experiment_row(count, folder)])
        insert(database, "trials", trial_rows(count, folder))
        insert(database, "metrics", ({"experiment_id": EXPERIMENT, "trial": number, "type": "PERIODICAL", "attempt": 0,
                                      "sequence": step, "time_ms": 1_700_000_000_000, "value": str(1 - 1 / (step + 2))}
                                     for number in range(0, count, 10) for step in range(10)))
    bench.daemon.start(60)


# ---- answers ---------------------------------------------------------------------------------------------------------------------

QUESTIONS = [
    ("columns", "columns", [{}]),
    ("trials, by number", "trials", [{"limit": 50}]),
    ("trials, sorted by a metric", "trials", [{"limit": 50, "offset": n * 50, "sort": f"{way}metric.{key}"} for n in range(10)
                                              for way in ("", "-") for key in ("accuracy", "size_bytes", "latency_ms")]),
    ("trials, sorted by a text", "trials", [{"limit": 50, "offset": n, "sort": sort} for n in range(20)
                                            for sort in ("host", "-parameter.schedule", "id")]),
    ("trials, a page in the middle", "trials", [{"limit": 50, "offset": 50_000 + n, "sort": "metric.size_bytes"} for n in range(50)]),
    ("trials, filtered and sorted", "trials", [{"limit": 50, "sort": "-metric", "filter": f"status = SUCCEEDED and (metric.accuracy > 0.9{n} or "
                                                f"parameter.algorithm._name in (l1, fpgm)) and not parameter.lr < 1e-{n % 4 + 1}"} for n in range(50)]),
    ("trials, a word looked for", "trials", [{"limit": 50, "filter": f"agp and Ta{letter}"} for letter in "abcdefghijklmnopqrstuvwxyz"]),
    ("table, 6 columns, 3,000 sampled", "table", [{"columns": "metric,metric.size_bytes,parameter.lr,parameter.batch,parameter.algorithm._name,status",
                                                  "sample": 3000 + n} for n in range(40)]),
    ("history", "history", [{"points": 2000 + n} for n in range(40)]),
    ("front of two", "front", [{"objectives": "metric.accuracy:max,metric.size_bytes:min", "points": 1000 + n} for n in range(40)]),
    ("front of three", "front", [{"objectives": "metric.accuracy:max,metric.size_bytes:min,metric.latency_ms:min", "points": 1000 + n}
                                 for n in range(40)]),
    ("importance", "importance", [{"top": 0.05 + n / 1000} for n in range(40)]),
    ("timeline", "timeline", [{"points": 2000 + n} for n in range(40)]),
    ("intermediates of the best 20", "intermediates", [{"top": 20, "points": 100 + n} for n in range(40)]),
]


def ask(client, path, query):
    begin = time.perf_counter()
    answer = client.request("GET", f"experiments/{EXPERIMENT}/{path}", query=query)
    assert answer.status == 200, answer.text[:500]
    return time.perf_counter() - begin, len(answer.body)


def loop_delay(client, stop, delays):
    """How long the loop takes for what needs no work while others are answered."""
    while not stop.is_set():
        begin = time.perf_counter()
        client.request("GET", "/version")
        delays.append(time.perf_counter() - begin)
        time.sleep(0.002)


def milliseconds(seconds, quantile):
    ordered = sorted(seconds)
    return f"{1e3 * ordered[min(len(ordered) - 1, int(quantile * len(ordered)))]:.1f}"


def answers(options):
    with Bench() as bench:
        load(bench, options.trials)
        client, pid = bench.daemon.client, bench.daemon.process.pid
        idle = status_mib(pid, "VmRSS")
        first = ask(client, "trials", {"sort": "-metric", "offset": 0, "limit": 50})[0]
        built = status_mib(pid, "VmRSS")
        rows, delays, stop = [], [], threading.Event()
        watcher = threading.Thread(target=loop_delay, args=(client, stop, delays))
        watcher.start()
        for name, path, queries in QUESTIONS:
            asked = [ask(client, path, queries[n % len(queries)]) for n in range(min(options.rounds, max(len(queries), 5)))]
            times = [seconds for seconds, _ in asked]
            rows.append([name, milliseconds(times, 0.5), milliseconds(times, 0.99), f"{max(size for _, size in asked) / 1e3:,.0f}"])
        stop.set()
        watcher.join()
        table([f"{options.trials:,} trials", "median ms", "p99 ms", "largest answer, kB"], rows)
        table(["lathed", ""],
              [["the first sorted page, table not there yet", f"{1e3 * first:.0f} ms"],
               ["resident memory: started, table built, at the end, at most",
                f"{idle:.0f}, {built:.0f}, {status_mib(pid, 'VmRSS'):.0f}, {status_mib(pid, 'VmHWM'):.0f} MiB"],
               ["GET /version meanwhile: median, p99, max",
                f"{milliseconds(delays, 0.5)}, {milliseconds(delays, 0.99)}, {1e3 * max(delays):.1f} ms"]])


# ---- many dashboards -------------------------------------------------------------------------------------------------------------

REPORTS = 400


def share_of(pid, work):
    busy, begin = cpu_seconds(pid), time.perf_counter()
    work()
    return (cpu_seconds(pid) - busy) / (time.perf_counter() - begin), cpu_seconds(pid) - busy


def live_run(bench, code, streams):
    """CPU seconds that the daemon needs for one experiment that reports all the time while so many streams are open."""
    client, pid = bench.daemon.client, bench.daemon.process.pid
    body = {**config("", maxTrialNumber=8, trialConcurrency=4), **code}
    begin = time.perf_counter()
    readers = [subprocess.Popen([sys.executable, "-c", READER, str(client.port), str(streams)], stdout=subprocess.PIPE)] if streams else []
    for reader in readers:
        reader.stdout.readline()
    busy = cpu_seconds(pid)
    experiment = client.create(body)["id"]
    client.wait_status(experiment, "DONE", 300)
    spent = cpu_seconds(pid) - busy
    heard = 0
    for reader in readers:
        reader.terminate()
        heard = int(reader.communicate()[0].split()[-1])
    return spent, time.perf_counter() - begin, heard


# Streams of another process, which only counts the events.
READER = """
import selectors, signal, socket, sys
port, count = int(sys.argv[1]), int(sys.argv[2])
selector, events = selectors.DefaultSelector(), 0
for _ in range(count):
    stream = socket.create_connection(("127.0.0.1", port))
    stream.sendall(b"GET /api/v1/events HTTP/1.1\\r\\nHost: localhost\\r\\n\\r\\n")
    selector.register(stream, selectors.EVENT_READ)
print("open", flush=True)
def end(*_):
    print(events, flush=True)
    sys.exit()
signal.signal(signal.SIGTERM, end)
while True:
    for key, _ in selector.select():
        events += key.fileobj.recv(1 << 20).count(b"\\nevent: ")
"""


def dashboards(options):
    with Bench() as bench:
        code = bench.script(f"for i in $(seq {REPORTS}); do report PERIODICAL $i $i; sleep 0.01; done\nreport FINAL 0 1\n")
        live_run(bench, code, 0)
        rows = []
        for streams in (0, 1, options.open):
            spent, seconds, heard = live_run(bench, code, streams)
            each = f"{1e6 * spent / heard:.0f} us" if heard else "-"
            rows.append([f"{streams}", f"{heard:,}", f"{100 * spent / seconds:.1f} %", each])
        table(["open streams", "events told", "one processor's share of lathed", "per event told"], rows)
        load(bench, options.trials)
        ask(bench.daemon.client, "columns", {})
        pid, client = bench.daemon.process.pid, bench.daemon.client
        page = (("trials", {"sort": "-metric", "offset": 0, "limit": 50}), ("history", {}), ("columns", {}))

        def open_pages():
            threads = [threading.Thread(target=lambda: [ask(client, path, query) for path, query in page]) for _ in range(options.open)]
            for thread in threads:
                thread.start()
            for thread in threads:
                thread.join()

        open_pages()
        share, spent = share_of(pid, open_pages)
        table([f"{options.open} dashboards open the same page of {options.trials:,} trials", ""],
              [["processor time of lathed", f"{1e3 * spent:.0f} ms"], ["per dashboard", f"{1e3 * spent / options.open:.1f} ms"]])


def browser(options):
    """What a person waits for: first rows, a jump, a sort, and from a trial's report to the pixel."""
    rows = []
    for count in sorted({100, 10_000, options.trials}):
        with Bench() as bench:
            load(bench, count)
            code = bench.script("sleep 0.1\nreport FINAL 0 $(($(date +%s%3N) % 1000000))\n")
            live = bench.daemon.client.create({**config("", maxTrialNumber=400, trialConcurrency=2), **code})["id"]
            client = bench.daemon.client
            run = subprocess.run(["node", str(Path(__file__).with_name("browser.mjs")), f"http://127.0.0.1:{client.port}", EXPERIMENT, live],
                                 capture_output=True, text=True, timeout=300)
            if run.returncode:
                sys.exit(run.stderr)
            found = json.loads(run.stdout)
            quantiles = [f"{statistics.median(found[key]):.0f} / {sorted(found[key])[int(len(found[key]) * 0.99)]:.0f} ms"
                         if found[key] else "-" for key in ("jumps", "sorts", "delays")]
            rows.append([f"{count:,}", f"{found['bytes'] / 1e3:.0f} kB", f"{found['first_rows']:.0f} ms", *quantiles, f"{status_mib(bench.daemon.process.pid, 'VmRSS'):.0f} MiB"])
    table(["trials", "first load", "first rows", "jump: median / p99", "sort", "report to pixel", "lathed"], rows)


def main():
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parts = {"answers": answers, "dashboards": dashboards, "browser": browser}
    parser.add_argument("parts", nargs="*", metavar="PART", help=f"of {', '.join(parts)}; default: all")
    parser.add_argument("--trials", type=int, default=100_000)
    parser.add_argument("--rounds", type=int, default=60, help="requests of each kind")
    parser.add_argument("--open", type=int, default=50, help="dashboards")
    options = parser.parse_args()
    unknown = set(options.parts) - set(parts)
    if unknown:
        parser.error(f"no part {', '.join(sorted(unknown))}")
    for name in options.parts or parts:
        parts[name](options)


if __name__ == "__main__":
    main()
