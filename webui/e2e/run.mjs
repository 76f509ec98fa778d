// Runs every view in turn against one daemon: node's test runner, one process, one browser.
import { spawnSync } from "node:child_process";
import { existsSync } from "node:fs";
import { fileURLToPath } from "node:url";

if (!existsSync(process.env.CHROMIUM ?? "/usr/bin/chromium")) {
  console.error("CHROMIUM IS NOT INSTALLED (Debian: apt-get install chromium)");
  process.exit(1);
}
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
