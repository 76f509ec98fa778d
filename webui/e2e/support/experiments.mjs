// The experiments that the views show.
import { spawnSync } from "node:child_process";
import { mkdirSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { program } from "./daemon.mjs";

const trial = fileURLToPath(new URL("trial.mjs", import.meta.url));
const command = `"${process.execPath}" "${trial}"`;

/** A nested space of which every trial reports a curve and three measures. */
export function commandConfig(changes = {}) {
  return {
    experimentName: "curves",
    trialCommand: command,
    trialConcurrency: 2,
    maxTrialNumber: 24,
    tuner: { name: "Random", classArgs: { optimize_mode: "maximize", seed: 3 } },
    searchSpace: {
      x: { _type: "uniform", _value: [0.1, 0.9] },
      lr: { _type: "loguniform", _value: [0.0001, 0.1] },
      kind: {
        _type: "choice",
        _value: [
          { _name: "gentle", bend: { _type: "uniform", _value: [0.5, 1] } },
          {
            _name: "steep",
            bend: { _type: "uniform", _value: [1, 3] },
            sharpness: { _type: "randint", _value: [1, 9] },
          },
        ],
      },
    },
    ...changes,
  };
}

/** Names, values and log lines that would do harm if they were more than text. */
const hostileName = `<script>window.hacked = true</script><b>bold</b> \u202e reversed שלום ${"n".repeat(1_000_000)}`;
export function hostileConfig() {
  const long = "z".repeat(1_000_000);
  return commandConfig({
    experimentName: hostileName,
    maxTrialNumber: 3,
    searchSpace: {
      "<img src=x onerror=window.hacked=true>": { _type: "choice", _value: ["\u202e\u001b[31m<i>red</i>"] },
      "=cmd()": { _type: "choice", _value: [long] },
      x: { _type: "uniform", _value: [0.1, 0.9] },
      longLine: { _type: "choice", _value: [1_000_000] },
    },
  });
}

/** LeNet on drawn digits, made once for a run. */
export function makeLenet(folder) {
  const target = join(folder, "lenet");
  mkdirSync(target, { recursive: true });
  const made = spawnSync(program("lenet-example"), ["--directory", target, "--epochs", "1", "--if-missing"], {
    encoding: "utf8",
  });
  if (made.status !== 0) throw new Error(`lenet-example: ${made.stderr}`);
  return target;
}

export function compressionConfig(folder, changes = {}) {
  const sparsity = (low, high) => ({ _type: "uniform", _value: [low, high] });
  return {
    experimentName: "lenet",
    trialConcurrency: 1,
    maxTrialNumber: 6,
    tuner: { name: "Random", classArgs: { optimize_mode: "maximize", seed: 5 } },
    searchSpace: {
      prune_method: {
        _type: "choice",
        _value: [
          {
            _name: "l1",
            conv1_sparsity: sparsity(0.1, 0.9),
            conv2_sparsity: sparsity(0.1, 0.9),
            fc1_sparsity: sparsity(0.1, 0.9),
          },
          { _name: "level", conv1_sparsity: sparsity(0.1, 0.9), fc1_sparsity: sparsity(0.1, 0.9) },
        ],
      },
    },
    compression: {
      model: join(folder, "lenet.pt"),
      inputShape: [1, 1, 28, 28],
      data: {
        format: "idx",
        train: {
          images: join(folder, "data/train-images-idx3-ubyte"),
          labels: join(folder, "data/train-labels-idx1-ubyte"),
          range: [0, 500],
        },
        test: {
          images: join(folder, "data/test-images-idx3-ubyte"),
          labels: join(folder, "data/test-labels-idx1-ubyte"),
          range: [0, 500],
        },
      },
      evaluation: { metric: "accuracy", batchSize: 250 },
      finetuning: { epochs: 1, optimizer: "sgd", learningRate: 0.01, batchSize: 64 },
      latency: { runs: 5, warmup: 1 },
      objective: { metric: "sparsity", maxAccuracyDrop: 0.1 },
    },
    ...changes,
  };
}
