import assert from "node:assert/strict";
import { test } from "node:test";
import { openPage, show } from "../support/browser.mjs";
import { commandConfig } from "../support/experiments.mjs";
import { waitFor } from "../support/wait.mjs";

const connectionErrors = [/ERR_CONNECTION|ERR_INCOMPLETE|Failed to load resource|network error/i];

export function tests(world) {
  test("recovery: a page that is open while lathed is killed misses nothing", async () => {
    const { browser, daemon } = world;
    const view = await openPage(browser, daemon, { expected: connectionErrors });
    const { page } = view;
    const space = { x: { _type: "uniform", _value: [0.1, 0.9] }, stepMs: { _type: "choice", _value: [100] } };
    const { id } = await daemon.create(
      commandConfig({ experimentName: "survivor", maxTrialNumber: 12, searchSpace: space }),
    );
    let loads = 0;
    page.on("load", () => loads++);
    await show(page, daemon, `experiments/${id}/trials`);
    await page.getByText("✓ Succeeded").first().waitFor();
    await daemon.kill();
    await page.getByText("reconnecting").waitFor();
    await daemon.start();
    await page.getByText("live", { exact: true }).waitFor();
    await daemon.until(id, ["DONE"]);
    await page.getByText("Done").first().waitFor();
    await page.getByText(/^12 trials$/).waitFor();
    const rows = page.locator(".vrow").filter({ hasText: "Succeeded" });
    await waitFor(async () => (await rows.count()) === 12, "every trial is shown as it ended");
    const shown = (await rows.locator("[role=gridcell]:nth-child(2)").allInnerTexts())
      .map(Number)
      .sort((a, b) => a - b);
    assert.deepEqual(
      shown,
      Array.from({ length: 12 }, (_, sequence) => sequence),
    );
    assert.equal(loads, 1, "the page was never loaded anew");
    assert.deepEqual(view.problems, []);
    await page.context().close();
  });
}
