// node run_cases.mjs FOLDER: runs what onnx_cases wrote in onnxruntime and compares with LibTorch's outputs.
// onnxruntime-node is looked for in $ORT/node_modules.
import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { join } from 'node:path';

const folder = process.argv[2];
const ort = createRequire(join(process.env.ORT, 'package.json'))('onnxruntime-node');

function read({ file, shape, type }) {
  const bytes = readFileSync(join(folder, file));
  const buffer = bytes.buffer.slice(bytes.byteOffset, bytes.byteOffset + bytes.byteLength);
  const data = type === 'int64' ? new BigInt64Array(buffer) : new Float32Array(buffer);
  return { shape, type, data };
}

/** The largest |a - b| beside the largest |b| (or 1); values that are not finite must be the same. */
function difference(ours, theirs) {
  let worst = 0, largest = 1;
  for (let i = 0; i < ours.length; ++i) {
    const a = Number(ours[i]), b = Number(theirs[i]);
    const apart = Object.is(a, b) ? 0 : Math.abs(a - b);
    worst = Math.max(worst, Number.isNaN(apart) ? Infinity : apart);
    if (Number.isFinite(b)) largest = Math.max(largest, Math.abs(b));
  }
  return worst / largest;
}

function top1(data, classes) {
  const rows = [];
  for (let start = 0; start < data.length; start += classes) {
    const row = Array.from(data.slice(start, start + classes), Number);
    rows.push(row.indexOf(Math.max(...row)));
  }
  return rows;
}

let largest = 0;

function check(one, found, expected) {
  if (found.dims.join() !== expected.shape.join()) return `shape ${found.dims} instead of ${expected.shape}`;
  if (one.same_top1) {
    const classes = expected.shape.at(-1);
    const ours = top1(found.data, classes), theirs = top1(expected.data, classes);
    const wrong = ours.filter((label, i) => label !== theirs[i]).length;
    return wrong ? `${wrong} of ${ours.length} predictions differ` : '';
  }
  const worst = difference(found.data, expected.data);
  largest = Math.max(largest, worst);
  return worst <= one.tolerance ? '' : `differs by ${worst}`;
}

async function runCase(one) {
  const session = await ort.InferenceSession.create(join(folder, `${one.name}.onnx`),
    { graphOptimizationLevel: 'all', logSeverityLevel: 3 });
  for (const run of one.runs) {
    const input = read(run.input);
    const feeds = { [session.inputNames[0]]: new ort.Tensor(input.type, input.data, input.shape) };
    const results = await session.run(feeds);
    if (session.outputNames.length !== run.outputs.length) return `${session.outputNames.length} outputs`;
    for (const [i, output] of run.outputs.entries()) {
      const problem = check(one, results[session.outputNames[i]], read(output));
      if (problem) return `batch ${input.shape[0]}, output ${i}: ${problem}`;
    }
  }
  return '';
}

const cases = JSON.parse(readFileSync(join(folder, 'cases.json'), 'utf8'));
let failed = 0;
for (const one of cases) {
  let problem;
  try {
    problem = await runCase(one);
  } catch (error) {
    problem = String(error.message).split('\n')[0];
  }
  if (problem) console.log(`FAILED ${one.name}: ${problem}`);
  failed += problem ? 1 : 0;
}
console.log(`${cases.length - failed} of ${cases.length} models give in onnxruntime what LibTorch gives` +
  ` (largest difference ${largest.toExponential(1)})`);
process.exit(failed || !cases.length ? 1 : 0);
