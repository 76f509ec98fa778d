import assert from "node:assert/strict";
import { test } from "node:test";
import { openPage, show } from "../support/browser.mjs";
import { commandConfig } from "../support/experiments.mjs";

const slow = { experimentName: "slow", maxTrialNumber: 40, trialConcurrency: 2 };

export function tests(world) {
  test("live: trials appear, end and are killed without a reload", async () => {
    const { browser, daemon } = world;
    const view = await openPage(browser, daemon);
    const { page } = view;
    const space = {
      x: { _type: "uniform", _value: [0.1, 0.9] },
      stepMs: { _type: "choice", _value: [400] },
      steps: { _type: "choice", _value: [8] },
    };
    const { id } = await daemon.create(commandConfig({ ...slow, searchSpace: space }));
    let lists = 0;
    page.on("request", (request) => (lists += /\/trials\?/.test(request.url()) ? 1 : 0));
    await show(page, daemon, `experiments/${id}/trials`);
    await page.getByText("▶ Running").first().waitFor();
    await page
      .locator(".vrow")
      .filter({ hasText: "Running" })
      .first()
      .getByRole("button", { name: /Actions of trial/ })
      .click();
    await page.getByRole("menuitem", { name: "Kill" }).click();
    await page.getByText("User canceled").first().waitFor();
    await page.getByText("✓ Succeeded").first().waitFor();
    assert.ok(lists < 30, `${lists} lists were fetched`);

    await page.locator(".vrow").filter({ hasText: "Running" }).first().getByRole("link").click();
    const log = page.getByRole("log", { name: "stdout" });
    await log.getByText("step 0 of 8").waitFor();
    await log.getByText("step 2 of 8").waitFor();
    await page.getByRole("button", { name: "Stop" }).click();
    await page.getByRole("dialog").getByRole("button", { name: "Stop" }).click();
    await page.getByText("■ Stopped").waitFor();
    await page.getByRole("button", { name: "Resume" }).click();
    await page.getByText("Running").first().waitFor();
    await daemon.ask(`experiments/${id}/stop`, { method: "POST" });
    await daemon.until(id, ["STOPPED"]);
    assert.deepEqual(view.problems, []);
    await page.context().close();
  });
}
