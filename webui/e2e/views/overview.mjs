import assert from "node:assert/strict";
import { test } from "node:test";
import { inspect, openPage, show } from "../support/browser.mjs";

export function tests(world) {
  test("overview: progress, history, best trials, configuration, daemon log", async () => {
    const { browser, daemon, ids } = world;
    const view = await openPage(browser, daemon);
    const { page } = view;
    await show(page, daemon, `experiments/${ids.lenet}`);
    await page.getByRole("img", { name: /Best sparsity so far/ }).waitFor();
    await page.getByText("6 of 6").waitFor();
    const compared = page.getByRole("region", { name: "Original and best" });
    await compared
      .getByRole("row", { name: /Accuracy/ })
      .first()
      .waitFor();
    assert.equal(await page.getByRole("region", { name: "Top trials" }).last().locator("tbody tr").count(), 6);
    await inspect(view, "overview");
    await page.getByText("Search space", { exact: true }).click();
    await page
      .getByRole("cell", { name: /conv1_sparsity/ })
      .first()
      .waitFor();
    await page.getByText("Daemon log", { exact: true }).click();
    await page
      .getByRole("log", { name: "lathed.log" })
      .getByText(/agent local/)
      .first()
      .waitFor();
    await inspect(view, "overview-details");
    await page.context().close();
  });

  test("overview: limits are changed in place", async () => {
    const { browser, daemon, ids } = world;
    const view = await openPage(browser, daemon);
    const { page } = view;
    await show(page, daemon, `experiments/${ids.curves}`);
    await page.getByRole("button", { name: "Change" }).click();
    await page.getByLabel("Trials at once").fill("none");
    await page.getByText(/expected a whole number/).waitFor();
    await page.getByLabel("Trials at once").fill("3");
    await page.getByLabel("Longest trial").fill("10m");
    await inspect(view, "overview-limits");
    await page.getByRole("button", { name: "Save" }).click();
    await page.getByText("The limits were changed.").waitFor();
    const { config } = await daemon.ask(`experiments/${ids.curves}`);
    assert.equal(config.trialConcurrency, 3);
    assert.equal(config.maxTrialDuration, "600s");
    await page.context().close();
  });
}
