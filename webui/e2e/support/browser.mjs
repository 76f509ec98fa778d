// Debian's Chromium, and what every page must hold to: no console error, nothing serious for axe, nothing from elsewhere.
import assert from "node:assert/strict";
import { mkdirSync, readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { join } from "node:path";
import { chromium } from "playwright-core";
import { timeout } from "./wait.mjs";

const screenshots = process.env.LATHE_SCREENSHOTS;
const axe = readFileSync(createRequire(import.meta.url).resolve("axe-core/axe.min.js"), "utf8");

export async function openBrowser() {
  return chromium.launch({
    executablePath: process.env.CHROMIUM ?? "/usr/bin/chromium",
    // Root, which CI often is, has no sandbox.
    args: process.getuid?.() === 0 ? ["--no-sandbox"] : [],
  });
}

/** A page that remembers what must not happen; `expected` are patterns of errors that a test brings about. */
export async function openPage(browser, daemon, { expected = [], ...options } = {}) {
  const context = await browser.newContext({ viewport: { width: 1440, height: 900 }, ...options });
  const page = await context.newPage();
  page.setDefaultTimeout(timeout);
  const problems = [];
  const add = (text) => expected.some((pattern) => pattern.test(text)) || problems.push(text);
  page.on("console", (message) => ["error", "warning"].includes(message.type()) && add(message.text()));
  page.on("pageerror", (error) => add(`${error.message}\n${error.stack ?? ""}`));
  page.on("request", (request) => {
    const { protocol, origin } = new URL(request.url());
    if (protocol.startsWith("http") && origin !== daemon.url) add(`a request to ${origin}`);
  });
  page.on("dialog", (dialog) => {
    add(`a script opened a dialog: ${dialog.message()}`);
    return dialog.dismiss();
  });
  return { page, problems };
}

export const show = (page, daemon, place) => page.goto(`${daemon.url}/#/${place}`);

/** What must hold of a page as it stands; keeps a picture where LATHE_SCREENSHOTS names a folder. */
export async function inspect({ page, problems }, name) {
  if (screenshots) {
    mkdirSync(screenshots, { recursive: true });
    await page.screenshot({ path: join(screenshots, `${name}.png`) });
  }
  const found = await serious(page);
  assert.deepEqual(found, [], `${name}: axe`);
  assert.deepEqual(problems, [], `${name}: console`);
}

/** What axe finds serious or critical, by WCAG 2.1 A and AA, in a line each. */
async function serious(page) {
  const session = await page.context().newCDPSession(page);
  // The page's own policy forbids scripts from elsewhere, so that axe comes in as the debugger's.
  await session.send("Runtime.evaluate", { expression: `${axe}; undefined` });
  // Without `preload`: axe would copy the style sheets of shadow roots into style elements, which the policy forbids.
  const options = {
    runOnly: ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa"],
    resultTypes: ["violations"],
    preload: false,
  };
  const { result } = await session.send("Runtime.evaluate", {
    expression: `axe.run(document, ${JSON.stringify(options)}).then((result) => JSON.stringify(result.violations
      .filter(({ impact }) => impact === "serious" || impact === "critical")
      .map(({ id, nodes }) => id + ": " + nodes.slice(0, 3).map(({ html }) => html.slice(0, 160)).join(" | "))))`,
    awaitPromise: true,
    returnByValue: true,
  });
  await session.detach();
  return JSON.parse(result.value);
}
