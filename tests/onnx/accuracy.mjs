// node accuracy.mjs MODEL.onnx IMAGES LABELS SHAPE: the share of records that the model puts into the right class, in
// onnxruntime. IMAGES are bytes, which become 0 … 1; LABELS a byte each; SHAPE that of one record, e.g. 1,28,28.
// onnxruntime-node is looked for in $ORT/node_modules.
import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { join } from 'node:path';

const BATCH = 250;
const ort = createRequire(join(process.env.ORT, 'package.json'))('onnxruntime-node');
const [model, imagesFile, labelsFile, shapeText] = process.argv.slice(2);
const shape = shapeText.split(',').map(Number);
const size = shape.reduce((a, b) => a * b);
const images = readFileSync(imagesFile), labels = readFileSync(labelsFile);

const session = await ort.InferenceSession.create(model, { intraOpNumThreads: 1, logSeverityLevel: 3 });
let right = 0;
for (let begin = 0; begin < labels.length; begin += BATCH) {
  const end = Math.min(begin + BATCH, labels.length);
  const values = Float32Array.from(images.subarray(begin * size, end * size), byte => byte / 255);
  const feeds = { [session.inputNames[0]]: new ort.Tensor('float32', values, [end - begin, ...shape]) };
  const scores = (await session.run(feeds))[session.outputNames[0]];
  const classes = scores.dims[1];
  for (let row = begin; row < end; ++row) {
    const own = scores.data.subarray((row - begin) * classes, (row - begin + 1) * classes);
    right += own.indexOf(Math.max(...own)) === labels[row] ? 1 : 0;
  }
}
console.log(JSON.stringify({ accuracy: right / labels.length, records: labels.length }));
