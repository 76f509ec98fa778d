#!/usr/bin/env python3
"""Runs every compression algorithm once on one model, and prints what each costs and gains, one row an algorithm.

    bench/algorithm_table.py --example lenet                 # made first if it is missing; also lenet-bn, resnet20, mnist
    bench/algorithm_table.py --experiment my.yml --only l1,qat --markdown

The model, its data and its fine-tuning are those of the experiment's `compression` block; the search space does not matter. Each
algorithm is one `lathe-trial run` in a temporary folder. One that fails is a row that says why, and the exit code stays 0.
"""

import argparse
import concurrent.futures
import http.client
import json
import os
import re
import signal
import subprocess
import sys
import tempfile
import time
import urllib.parse
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]

HALF_OF_THE_FILTERS = {"config_list::Conv2d::::sparsity": 0.5}
EIGHT_BITS = {"quant_bits": 8, "quant_types": ["weight", "input", "output"]}

# What is run: (row, parameters of the trial). Structured pruners take convolutions alone, as NNI's do, so that they compare.
PARAMETER_SETS = [
    ("level", {"_name": "level", "sparsity": 0.9}),
    ("l1", {"_name": "l1", **HALF_OF_THE_FILTERS}),
    ("l2", {"_name": "l2", **HALF_OF_THE_FILTERS}),
    ("fpgm", {"_name": "fpgm", **HALF_OF_THE_FILTERS}),
    ("slim", {"_name": "slim", "sparsity": 0.5, "parameter::sparsifying_training_epochs": 2}),
    ("taylorfo", {"_name": "taylorfo", **HALF_OF_THE_FILTERS}),
    ("apoz", {"_name": "apoz", **HALF_OF_THE_FILTERS}),
    ("mean_activation", {"_name": "mean_activation", **HALF_OF_THE_FILTERS}),
    ("agp", {"_name": "agp", "sparsity": 0.9, "parameter::num_iterations": 3}),
    ("linear", {"_name": "linear", "sparsity": 0.9, "parameter::total_iteration": 3}),
    ("lottery", {"_name": "lottery", "sparsity": 0.8, "parameter::prune_iterations": 3}),
    ("netadapt", {"_name": "netadapt", **HALF_OF_THE_FILTERS, "parameter::sparsity_per_iteration": 0.25,
                  "parameter::finetune_epochs": 1}),
    ("simulated_annealing", {"_name": "simulated_annealing", **HALF_OF_THE_FILTERS, "parameter::cool_down_rate": 0.7}),
    ("admm", {"_name": "admm", **HALF_OF_THE_FILTERS, "parameter::num_iterations": 2, "parameter::epochs_per_iteration": 1}),
    ("auto_compress", {"_name": "auto_compress", **HALF_OF_THE_FILTERS, "parameter::num_iterations": 2,
                       "parameter::cool_down_rate": 0.6, "parameter::admm_num_iterations": 1,
                       "parameter::admm_epochs_per_iteration": 1}),
    ("sensitivity", {"_name": "sensitivity", **HALF_OF_THE_FILTERS, "parameter::sparsity_per_iter": 0.25}),
    ("naive", {"_name": "naive", "quant_bits": 8, "quant_types": ["weight"]}),
    ("qat", {"_name": "qat", **EIGHT_BITS}),
    ("dorefa", {"_name": "dorefa", "quant_bits": 8, "quant_types": ["weight"]}),
    ("bnn", {"_name": "bnn", "quant_bits": 1, "quant_types": ["weight"]}),
    ("lsq", {"_name": "lsq", **EIGHT_BITS}),
    ("observer", {"_name": "observer", **EIGHT_BITS}),
]

# Example: (its experiment, the command that makes model and data).
EXAMPLES = {
    "lenet": ("lenet/experiment.yml", ["lenet-example", "--if-missing"]),
    "lenet-bn": ("lenet/all.yml", ["lenet-example", "--batch-norm", "--if-missing"]),
    "resnet20": ("resnet20/experiment.yml", ["resnet20-example", "--if-missing"]),
    "mnist": ("mnist/experiment.yml", ["lenet-example", "--if-missing", "--data", "${MNIST_DIR}"]),
}

COLUMNS = [  # heading, key, format
    ("algorithm", "row", "{}"),
    ("accuracy", "accuracy_before", "{:.4f}"),
    ("compressed", "accuracy_compressed", "{:.4f}"),
    ("fine-tuned", "accuracy_finetuned", "{:.4f}"),
    ("int8", "accuracy_int8", "{:.4f}"),
    ("sparsity", "sparsity", "{:.3f}"),
    ("parameters", "parameters", "{:,}"),
    ("bytes", "effective_bytes", "{:,}"),
    ("speed-up", "speedup", "{:.2f}"),
    ("seconds", "seconds", "{:.1f}"),
]


class Failure(Exception):
    """Something that the table cannot be made without."""


def make_example(name, bin_dir):
    """Makes what is missing of an example; its experiment file."""
    experiment, command = EXAMPLES[name]
    if "${MNIST_DIR}" in command and not os.environ.get("MNIST_DIR"):
        raise Failure("MNIST_DIR is not set; it names the folder of t10k-images-idx3-ubyte.gz and t10k-labels-idx1-ubyte.gz")
    words = [os.path.expandvars(word) for word in command[1:]]
    made = subprocess.run([bin_dir / command[0], *words], stdout=sys.stderr)
    if made.returncode:
        raise Failure(f"{command[0]} ended with {made.returncode}")
    return ROOT / "examples" / experiment


def wait_until(condition, what, seconds=20):
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        value = condition()
        if value:
            return value
        time.sleep(0.02)
    raise Failure(f"{what}: not within {seconds} s")


def ask(port, method, path, body=None):
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=30)
    try:
        connection.request(method, path, body=body)
        answer = connection.getresponse()
        text = answer.read().decode()
    finally:
        connection.close()
    if answer.status >= 300:
        raise Failure(f"lathed: {method} {path.partition('?')[0]}: {text}")
    return json.loads(text)


def canonical_config(file, bin_dir, scratch):
    """The `compression` block with absolute paths and defaults, as lathed gives it to trials. lathed is who can read the file:
    it is started with a trial program that fails, so that it reads and runs nothing."""
    text = file.read_text()
    if file.suffix == ".json" and {"model", "data"} <= set(json.loads(text)):
        return json.loads(text)
    data, log = scratch / "lathed", scratch / "lathed.out"
    data.mkdir()
    with open(log, "wb") as out:
        daemon = subprocess.Popen([bin_dir / "lathed", "--port", "0", "--data-dir", data, "--trial-program", "/bin/false"], stdout=out,
                                  stderr=out, cwd=scratch)
    try:
        address = wait_until(lambda: re.search(r"http://127\.0\.0\.1:(\d+)", log.read_text()), "lathed tells its address")
        port = int(address.group(1))
        query = urllib.parse.urlencode({"directory": file.resolve().parent})
        identity = ask(port, "POST", f"/api/v1/experiments?{query}", text)["id"]
        config = ask(port, "GET", f"/api/v1/experiments/{identity}")["config"]
    finally:
        daemon.terminate()
        daemon.wait(30)
        end_agent(data / "agents" / "local" / "lock")
    if "compression" not in config:
        raise Failure(f"{file}: the experiment has no compression block")
    return config["compression"]


def end_agent(lock):
    """The agent outlives its daemon; its lock holds its process id."""
    try:
        os.kill(int(lock.read_text()), signal.SIGTERM)
    except (OSError, ValueError):
        pass


def trial_environment(folder, name, sequence, scratch):
    """docs/trial-protocol.md, and what the built-in trial gets beside it."""
    return {**os.environ, "NNI_PLATFORM": "local", "NNI_EXP_ID": "table", "NNI_SYS_DIR": str(folder), "NNI_OUTPUT_DIR": str(folder),
            "NNI_TRIAL_JOB_ID": name, "NNI_TRIAL_SEQ_ID": str(sequence), "NNI_CODE_DIR": str(folder),
            "LATHE_EXPERIMENT_ID": "table", "LATHE_TRIAL_ID": name, "LATHE_TRIAL_DIRECTORY": str(folder),
            "LATHE_COMPRESSION_CONFIG": str(scratch / "compression.json"), "LATHE_BASELINE": str(scratch / "baseline.json"),
            "OMP_WAIT_POLICY": "passive"}


def lathe_trial(command, folder, name, sequence, scratch, bin_dir, timeout):
    """Runs lathe-trial; why it failed, or None."""
    with open(folder / "stdout", "wb") as out, open(folder / "stderr", "wb") as err:
        try:
            ended = subprocess.run([bin_dir / "lathe-trial", command], cwd=folder, stdin=subprocess.DEVNULL, stdout=out, stderr=err,
                                   env=trial_environment(folder, name, sequence, scratch), timeout=timeout)
        except subprocess.TimeoutExpired:
            return f"took longer than {timeout:.0f} s"
    if ended.returncode == 0:
        return None
    lines = [line for line in (folder / "stderr").read_text(errors="replace").splitlines() if line.strip()]
    reason = lines[-1].removeprefix("lathe-trial: error: ") if lines else "no message"
    return f"exit code {ended.returncode}: {reason}" if ended.returncode > 0 else f"signal {-ended.returncode}: {reason}"


def run_algorithm(sequence, row, parameters, scratch, arguments):
    folder = scratch / f"{sequence:02d}-{row}"
    (folder / ".nni").mkdir(parents=True)
    record = {"parameter_id": sequence, "parameter_source": "algorithm", "parameters": {"algorithm": parameters}, "parameter_index": 0}
    (folder / "parameter.cfg").write_text(json.dumps(record))
    begin = time.perf_counter()
    error = lathe_trial("run", folder, row, sequence, scratch, arguments.bin, arguments.timeout)
    wall = time.perf_counter() - begin
    result = {"row": row, "algorithm": parameters["_name"], "settings": parameters, "error": error, "seconds": wall}
    if error is None:
        result.update(read_report(folder / "report.json", wall))
    if not arguments.json:
        print(f"{row}: {error or 'done'} ({wall:.1f} s)", file=sys.stderr)
    return result


def read_report(file, wall):
    report = json.loads(file.read_text())
    metrics = report["metrics"]
    return {"algorithm": report["algorithm"], "accuracy_before": report["baseline"]["accuracy"],
            "accuracy_compressed": report.get("before_finetuning", {}).get("accuracy"), "accuracy_finetuned": metrics["accuracy"],
            "accuracy_int8": metrics.get("int8_accuracy"), "speedup_int8": metrics.get("int8_speedup"),
            "sparsity": metrics["sparsity"], "parameters": metrics["parameters"], "size_bytes": metrics["size_bytes"],
            "effective_bytes": metrics.get("effective_bytes"), "macs": metrics["macs"], "speedup": metrics["speedup"], "seconds": report.get("seconds", wall)}


def cells(result):
    if result["error"]:
        return [result["row"], f"failed: {result['error']}"]
    return [form.format(result[key]) if result.get(key) is not None else "-" for _, key, form in COLUMNS]


def text_table(results):
    rows = [[heading for heading, _, _ in COLUMNS], *map(cells, results)]
    full = [row for row in rows if len(row) == len(COLUMNS)]
    widths = [max(len(row[0]) for row in rows), *(max(len(row[i]) for row in full) for i in range(1, len(COLUMNS)))]
    lines = []
    for row in rows:
        if len(row) < len(COLUMNS):
            lines.append(f"{row[0].ljust(widths[0])}  {row[1]}")
            continue
        lines.append("  ".join([row[0].ljust(widths[0]), *(cell.rjust(width) for cell, width in zip(row[1:], widths[1:]))]))
    return "\n".join(lines)


def markdown_table(results):
    lines = ["| " + " | ".join(heading for heading, _, _ in COLUMNS) + " |", "| --- |" + " ---: |" * (len(COLUMNS) - 1)]
    for result in results:
        row = [cell.replace("|", "\\|") for cell in cells(result)]
        lines.append("| " + " | ".join(row) + " |" + " |" * (len(COLUMNS) - len(row)))
    return "\n".join(lines)


def with_overrides(config, arguments):
    if arguments.epochs is not None:
        config["finetuning"]["epochs"] = arguments.epochs
    if arguments.train_records is not None:
        begin = (config["data"]["train"].get("range") or [0])[0]
        config["data"]["train"]["range"] = [begin, begin + arguments.train_records]
    return config


def chosen_sets(only):
    if not only:
        return PARAMETER_SETS
    wanted = only.split(",")
    unknown = set(wanted) - {row for row, _ in PARAMETER_SETS}
    if unknown:
        raise Failure(f"no such row: {', '.join(sorted(unknown))}; there are {', '.join(row for row, _ in PARAMETER_SETS)}")
    return [(row, parameters) for row, parameters in PARAMETER_SETS if row in wanted]


def measure(arguments, scratch):
    """The results, in the order of the table."""
    experiment = make_example(arguments.example, arguments.bin) if arguments.example else arguments.experiment
    config = with_overrides(canonical_config(experiment, arguments.bin, scratch), arguments)
    (scratch / "compression.json").write_text(json.dumps(config))
    preparation = scratch / "preparation"
    preparation.mkdir()
    error = lathe_trial("prepare", preparation, "preparation", 0, scratch, arguments.bin, arguments.timeout)
    if error:
        raise Failure(f"the original cannot be measured: {error}")
    with concurrent.futures.ThreadPoolExecutor(arguments.jobs) as pool:
        runs = [pool.submit(run_algorithm, index, row, parameters, scratch, arguments)
                for index, (row, parameters) in enumerate(chosen_sets(arguments.only))]
        return [run.result() for run in runs]


def parse_arguments():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    what = parser.add_mutually_exclusive_group(required=True)
    what.add_argument("--example", choices=sorted(EXAMPLES))
    what.add_argument("--experiment", type=Path, help="YAML or JSON of an experiment, or its compression.json")
    parser.add_argument("--bin", type=Path, default=ROOT / "build/release/bin", help="folder of the programs")
    parser.add_argument("--only", help="rows, separated by commas")
    parser.add_argument("--jobs", type=int, default=1, help="trials at once; times are only good with 1 (default)")
    parser.add_argument("--epochs", type=int, help="epochs of fine-tuning instead of the experiment's")
    parser.add_argument("--train-records", type=int, help="so many training records instead of the experiment's")
    parser.add_argument("--timeout", type=float, default=600, help="seconds that one algorithm may take (default 600)")
    output = parser.add_mutually_exclusive_group()
    output.add_argument("--json", action="store_true", help="print a JSON array")
    output.add_argument("--markdown", action="store_true", help="print a Markdown table")
    return parser.parse_args()


def main():
    arguments = parse_arguments()
    arguments.bin = arguments.bin.resolve()
    try:
        chosen_sets(arguments.only)
        with tempfile.TemporaryDirectory(prefix="lathe-table-") as scratch:
            results = measure(arguments, Path(scratch))
    except (Failure, OSError) as failure:
        sys.exit(f"algorithm_table: {failure}")
    if arguments.json:
        print(json.dumps(results, indent=2))
    else:
        print(markdown_table(results) if arguments.markdown else text_table(results))


if __name__ == "__main__":
    main()
