import assert from "node:assert/strict";
import { test } from "node:test";
import { inspect, openPage, show } from "../support/browser.mjs";

export function tests(world) {
  test("trial: facts, curve, log with search, files", async () => {
    const { browser, daemon, ids } = world;
    const view = await openPage(browser, daemon);
    const { page } = view;
    const { best } = await daemon.ask(`experiments/${ids.lenet}`);
    await show(page, daemon, `experiments/${ids.lenet}/trials/${best.trialId}`);
    await page.getByText("★ best so far").waitFor();
    await page.getByRole("img", { name: /Intermediate results/ }).waitFor();
    const log = page.getByRole("log", { name: "stdout" });
    await log.getByText(/compressed: accuracy/).waitFor();
    await page.getByLabel("Search in stdout").fill("EPOCH");
    await page.getByText(/^1 of \d+/).waitFor();
    assert.ok((await log.locator("mark").count()) > 0);
    await inspect(view, "trial");
    const download = page.waitForEvent("download");
    await page.getByRole("link", { name: "report.json" }).click();
    assert.match((await download).suggestedFilename(), /report\.json$/);
    await page.context().close();
  });

  test("trial: says why it failed, and runs again as a customised one", async () => {
    const { browser, daemon, ids } = world;
    const view = await openPage(browser, daemon);
    const { page } = view;
    const { items } = await daemon.ask(`experiments/${ids.failing}/trials`);
    await show(page, daemon, `experiments/${ids.failing}/trials/${items[0].id}`);
    await page
      .getByText(/Traceback: the loss is not a number/)
      .first()
      .waitFor();
    await inspect(view, "trial-failed");
    await page.getByRole("button", { name: "Copy as customised trial…" }).click();
    const text = page.getByLabel("Parameters (JSON)");
    await text.fill("{");
    assert.ok(await page.getByRole("button", { name: "Queue the trial" }).isDisabled());
    await text.fill('{"x": 0.6}');
    await inspect(view, "trial-customised");
    await page.getByRole("button", { name: "Cancel" }).click();
    await page.context().close();
  });
}
