// A trial that reports as NNI's trials do: a curve, then a dict. Its parameters say how it ends and how long it takes.
import { appendFileSync, mkdirSync, readFileSync } from "node:fs";
import { join } from "node:path";

const { NNI_SYS_DIR: folder, NNI_TRIAL_JOB_ID: id } = process.env;
const { parameter_id, parameters } = JSON.parse(readFileSync(join(folder, "parameter.cfg"), "utf8"));
mkdirSync(join(folder, ".nni"), { recursive: true });
const pause = (ms) => new Promise((done) => setTimeout(done, ms));

function report(type, sequence, value) {
  const text = JSON.stringify({ parameter_id, trial_job_id: id, type, sequence, value: JSON.stringify(value) });
  const frame = `ME${String(Buffer.byteLength(text) + 1).padStart(6, "0")}${text}\n`;
  appendFileSync(join(folder, ".nni", "metrics"), frame);
}

const { x = 0.5, kind = {}, steps = 5, stepMs = 20, fails = false } = parameters;
const bend = kind.bend ?? 1;
console.log(`\u001b[1;32mstarted\u001b[0m with x = ${x}`);
console.log("<script>window.hacked = true</script><img src=x onerror='window.hacked = true'>");
console.log(`right to left: \u202eabc שלום`);
console.log("y".repeat(Number(parameters.longLine ?? 100)));
for (let step = 0; step < steps; step++) {
  await pause(stepMs);
  report("PERIODICAL", step, { default: (x * (step + 1)) / steps, loss: 1 / (step + 1) });
  console.log(`step ${step} of ${steps}`);
}
if (fails) {
  console.error("\u001b[31mTraceback\u001b[0m: the loss is not a number");
  process.exit(3);
}
const accuracy = 1 - (x - 0.6) ** 2 * bend;
report("FINAL", 0, { default: accuracy, accuracy, size_bytes: Math.round(1e6 * x), macs: Math.round(2e6 * x * bend) });
