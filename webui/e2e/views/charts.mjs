import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { test } from "node:test";
import { inspect, openPage, show } from "../support/browser.mjs";

/** Each chart, and what it says of itself. */
const kinds = {
  history: /Metric by trial\. 24 points/,
  parallel: /kind = (gentle|steep)\. Parallel coordinates of \d+ trials/,
  slice: /x\. 24 trials: Metric against x/,
  contour: /Metric over /,
  importance: /Importance of the parameters/,
  intermediates: /Intermediate results\. 20 curves/,
  durations: /Durations\. 24 trials/,
  timeline: /Timeline\. 24 attempts in \d+ places?/,
};

export function tests(world) {
  brushing(world);
  for (const [kind, summary] of Object.entries(kinds)) {
    test(`charts: ${kind}`, async () => {
      const { browser, daemon, ids } = world;
      const view = await openPage(browser, daemon);
      const { page } = view;
      await show(page, daemon, `experiments/${ids.curves}/charts/${kind}`);
      // Too few trials for importances is an answer too, and it says so.
      const chart = page.getByRole("img", { name: summary }).first();
      await chart.or(page.getByText("Too early to tell")).first().waitFor();
      if (kind !== "importance") await chart.waitFor();
      await inspect(view, `charts-${kind}`);
      if (await chart.isVisible()) await savesBoth(page, kind);
      await page.context().close();
    });
  }
}

/** Where ECharts draws the first axis of parallel coordinates, from the chart's corner. */
const axis = { x: 60, from: 60, to: 180 };

function brushing(world) {
  test("charts: an axis that is brushed filters the trials", async () => {
    const { browser, daemon, ids } = world;
    const view = await openPage(browser, daemon);
    const { page } = view;
    await show(page, daemon, `experiments/${ids.curves}/charts/parallel`);
    const chart = page.getByRole("img", { name: kinds.parallel }).first();
    await chart.waitFor();
    const { x, y } = await chart.boundingBox();
    await page.mouse.move(x + axis.x, y + axis.from);
    await page.mouse.down();
    await page.mouse.move(x + axis.x, y + axis.to, { steps: 8 });
    await page.mouse.up();
    const link = page.getByRole("link", { name: /brushed trials?/ });
    await link.waitFor();
    await inspect(view, "charts-brushed");
    const [amount] = /\d+/.exec(await link.innerText());
    await link.click();
    await page.waitForURL(/filter=/);
    const filter = await page.getByLabel("Filter trials").inputValue();
    assert.match(filter, /^parameter\.\w+ >= [\d.]+ and parameter\.\w+ <= [\d.]+ and parameter\.kind\._name = \w+$/);
    await page.getByText(new RegExp(`^${amount} trials?$`)).waitFor();
    await page.context().close();
  });
}

/** The chart's data and picture as files. */
async function savesBoth(page, kind) {
  const save = async (name) => {
    const download = page.waitForEvent("download");
    await page.getByRole("button", { name, exact: true }).first().click();
    return readFileSync(await (await download).path());
  };
  const lines = (await save("CSV")).toString().trim().split("\r\n");
  assert.ok(lines.length > 1 && lines[0].includes(","), `${kind}: ${lines[0]}`);
  const png = await save("PNG");
  assert.deepEqual([...png.subarray(0, 4)], [0x89, 0x50, 0x4e, 0x47]);
  assert.ok(png.length > 2_000);
}
