// compress.mjs FOLDER: puts FILE.br and FILE.gz beside each text file of a folder, as small as they get, so that the
// daemon never compresses anything. A file that would not shrink gets none.
import { readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { brotliCompressSync, constants, gzipSync } from "node:zlib";

const folder = process.argv[2];
if (!folder) throw new Error("usage: compress.mjs FOLDER");

const compressors = {
  ".br": (data) => brotliCompressSync(data, { params: { [constants.BROTLI_PARAM_QUALITY]: 11 } }),
  ".gz": (data) => gzipSync(data, { level: 9 }),
};

let plain = 0;
const total = { ".br": 0, ".gz": 0 };
for (const entry of readdirSync(folder, { recursive: true, withFileTypes: true })) {
  if (!entry.isFile() || !/\.(js|css|html|svg|json)$/.test(entry.name)) continue;
  const path = join(entry.parentPath ?? entry.path, entry.name);
  const data = readFileSync(path);
  plain += data.length;
  for (const [suffix, compress] of Object.entries(compressors)) {
    const small = compress(data);
    total[suffix] += Math.min(small.length, data.length);
    if (small.length < data.length) writeFileSync(path + suffix, small);
  }
}
const kilobytes = (bytes) => `${(bytes / 1000).toFixed(0)} kB`;
console.log(`${kilobytes(plain)} of text; as .gz ${kilobytes(total[".gz"])}, as .br ${kilobytes(total[".br"])}`);
