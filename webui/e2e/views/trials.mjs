import assert from "node:assert/strict";
import { test } from "node:test";
import { inspect, openPage, show } from "../support/browser.mjs";
import { waitFor } from "../support/wait.mjs";

export function tests(world) {
  test("trials: sort, filter, columns", async () => {
    const { browser, daemon, ids } = world;
    const view = await openPage(browser, daemon, { expected: [/status of 400/] });
    const { page } = view;
    await show(page, daemon, `experiments/${ids.curves}/trials`);
    const rows = page.locator(".vrow");
    const cell = (row, column) => rows.nth(row).locator("[role=gridcell]").nth(column).innerText();
    await rows.nth(10).waitFor();
    assert.equal(await cell(0, 1), "23");
    await page.getByRole("button", { name: "Metric" }).click();
    await page.waitForURL(/sort=-metric/);
    const { items } = await daemon.ask(`experiments/${ids.curves}/trials?sort=-metric&limit=1`);
    await waitFor(async () => (await cell(0, 1)) === String(items[0].sequence), "the best is first");
    await inspect(view, "trials");

    await page.getByLabel("Filter trials").fill("parameter.kind._name = steep and metric >= 0.9");
    await page.waitForURL(/filter=/);
    const { total } = await daemon.ask(
      `experiments/${ids.curves}/trials?limit=1&filter=${encodeURIComponent("parameter.kind._name = steep and metric >= 0.9")}`,
    );
    await page.getByText(new RegExp(`^${total} trials?$`)).waitFor();
    assert.ok(total > 0 && total < 24);
    await page.getByLabel("Filter trials").fill("metric >=");
    await page.getByRole("alert").waitFor();
    await inspect(view, "trials-wrong-filter");
    await page.getByLabel("Filter trials").fill("metric > 100");
    await page.getByText("No trial matches the filter").waitFor();
    await page.getByRole("button", { name: "Clear the filter" }).click();
    await page.getByText(/^24 trials$/).waitFor();

    await page.getByRole("button", { name: "Columns…" }).click();
    await page.getByLabel("sharpness").check();
    await inspect(view, "trials-columns");
    await page.getByRole("button", { name: "Done" }).click();
    await page.getByRole("columnheader", { name: /sharpness/ }).waitFor();
    await page.context().close();
  });

  test("trials: keys move, select and open", async () => {
    const { browser, daemon, ids } = world;
    const { page } = await openPage(browser, daemon);
    await show(page, daemon, `experiments/${ids.curves}/trials`);
    const grid = page.getByRole("grid", { name: "Trials" });
    await page.locator(".vrow").nth(3).waitFor();
    await grid.focus();
    for (const key of ["ArrowDown", "ArrowDown", " "]) await page.keyboard.press(key);
    assert.equal(await page.locator(".vrow.selected").count(), 1);
    await page.keyboard.press("Enter");
    await page.getByRole("heading", { name: /^Trial 22/ }).waitFor();
    await page.keyboard.press("g");
    await page.keyboard.press("c");
    await page.getByRole("navigation", { name: "Charts" }).waitFor();
    await page.context().close();
  });

  test("trials: compare side by side", async () => {
    const { browser, daemon, ids } = world;
    const view = await openPage(browser, daemon);
    const { page } = view;
    await show(page, daemon, `experiments/${ids.lenet}/trials`);
    for (const row of [0, 1, 2]) await page.locator(".vrow").nth(row).getByRole("checkbox").click();
    await page.getByRole("link", { name: "Compare 3" }).click();
    const table = page.getByRole("region", { name: "Comparison" });
    await table.getByRole("row").nth(5).waitFor();
    assert.equal(await table.locator("thead th").count(), 4);
    await page.getByRole("img", { name: /Sparsity of the layers/ }).waitFor();
    await page.getByRole("img", { name: /Intermediate results/ }).waitFor();
    await inspect(view, "compare");
    await page.context().close();
  });
}
