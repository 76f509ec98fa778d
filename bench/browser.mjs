// browser.mjs BASE TABLE LIVE: what a person waits for, in Chromium. TABLE is an experiment with many trials, LIVE one whose final
// metrics are the milliseconds of their own time, modulo a million. Prints one JSON object. Called by dashboard.py.
import { createRequire } from "node:module";

const { chromium } = createRequire(new URL("../webui/package.json", import.meta.url))("playwright-core");
const [base, table, live] = process.argv.slice(2);
const browser = await chromium.launch({
  executablePath: process.env.CHROMIUM ?? "/usr/bin/chromium",
  args: process.getuid?.() === 0 ? ["--no-sandbox"] : [],
});
const page = await browser.newPage({ viewport: { width: 1440, height: 900 } });

/** From the address to the first row that can be clicked, with nothing cached; and the bytes of files on the way. */
async function open(id) {
  const session = await page.context().newCDPSession(page);
  await session.send("Network.enable");
  let bytes = 0;
  session.on("Network.loadingFinished", (event) => (bytes += event.encodedDataLength));
  const begin = performance.now();
  await page.goto(`${base}/#/experiments/${id}/trials`);
  await page.locator(".vrow a").first().waitFor();
  return { first_rows: performance.now() - begin, bytes };
}

/** Jumps to random places and sorts by columns in sight; milliseconds until the rows are there. */
const scrollAndSort = () =>
  page.evaluate(async () => {
    const grid = document.querySelector(".vtable");
    const frame = () => new Promise((done) => requestAnimationFrame(done));
    const timed = async (act, ready) => {
      const begin = performance.now();
      act();
      do await frame();
      while (!ready());
      return performance.now() - begin;
    };
    const rows = () => [...grid.querySelectorAll(".vrow")];
    const first = () => grid.querySelector(".vrow a")?.textContent;
    const jumps = [];
    const height = grid.scrollHeight - grid.clientHeight;
    for (let i = 1; i <= 30; i++) {
      const to = Math.floor(height * ((i * 0.618) % 1));
      const near = () => rows().length > 0 && rows().every((row) => row.querySelector("a")) && rows().some((row) => Math.abs(parseFloat(row.style.top) - to) < 100);
      jumps.push(await timed(() => (grid.scrollTop = to), near));
    }
    grid.scrollTop = 0;
    await new Promise((done) => setTimeout(done, 500));
    const sorts = [];
    for (let i = 0; i < 30; i++) {
      const buttons = [...grid.querySelectorAll("button.sort")].filter((each) => /Metric|Duration|Accuracy|Size/.test(each.textContent));
      const before = first();
      sorts.push(await timed(() => buttons[i % buttons.length].click(), () => first() !== undefined && first() !== before));
      await new Promise((done) => setTimeout(done, 100));
    }
    return { jumps, sorts };
  });

/** From a trial's report to the frame that shows it. */
async function latency(id) {
  await page.goto(`${base}/#/experiments/${id}/trials?sort=-sequence`);
  await page.locator(".vtable").waitFor();
  return page.evaluate(async () => {
    const delays = new Map();
    const look = () => {
      const now = Date.now() % 1e6;
      for (const row of document.querySelectorAll(".vrow")) {
        const name = row.querySelector("a")?.textContent;
        if (!name || delays.has(name)) continue;
        for (const cell of row.children) {
          if (!/^\d{1,3},\d{3}$/.test(cell.textContent)) continue;
          const delay = now - Number(cell.textContent.replace(",", ""));
          if (delay >= 0 && delay < 5000) delays.set(name, delay);
        }
      }
    };
    const end = performance.now() + 30_000;
    while (delays.size < 100 && performance.now() < end) {
      await new Promise((done) => requestAnimationFrame(done));
      look();
    }
    return [...delays.values()];
  });
}

const result = { ...(await open(table)), ...(await scrollAndSort()), delays: await latency(live) };
console.log(JSON.stringify(result));
await browser.close();
