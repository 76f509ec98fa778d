// Runs every view in turn against one daemon: node's test runner, one process, one browser.
import { spawnSync } from "node:child_process";
import { fileURLToPath } from "node:url";

const folder = fileURLToPath(new URL(".", import.meta.url));
const only = process.argv.slice(2).flatMap((name) => ["--test-name-pattern", name]);
const { status } = spawnSync(
  process.execPath,
  ["--test", "--test-reporter", "spec", ...only, `${folder}dashboard.test.mjs`],
  {
    stdio: "inherit",
    cwd: fileURLToPath(new URL("..", import.meta.url)),
  },
);
process.exit(status ?? 1);
