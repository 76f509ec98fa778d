import assert from "node:assert/strict";
import { test } from "node:test";
import { inspect, openPage, show } from "../support/browser.mjs";

/** Whether anything that came from the experiment has run, or has become an element. */
async function isHarmless(page) {
  assert.equal(await page.evaluate(() => window.hacked), undefined);
  assert.equal(await page.locator("main script, main i, main b, main img").count(), 0);
}

export function tests(world) {
  test("hostile: names, parameters and log lines are text", async () => {
    const { browser, daemon, ids } = world;
    const view = await openPage(browser, daemon);
    const { page } = view;
    await show(page, daemon, "");
    await page.getByText("<script>window.hacked = true</script><b>bold</b>", { exact: false }).waitFor();
    await isHarmless(page);
    await inspect(view, "hostile-list");

    await show(page, daemon, `experiments/${ids.hostile}`);
    await page.getByRole("heading", { name: /<script>window\.hacked/ }).waitFor();
    await page.getByRole("img", { name: /so far/ }).waitFor();
    await isHarmless(page);
    await inspect(view, "hostile-overview");

    await show(page, daemon, `experiments/${ids.hostile}/trials`);
    await page
      .getByTitle(/^<img src=x/)
      .first()
      .waitFor();
    await page.locator(".vrow").first().waitFor();
    await isHarmless(page);
    await inspect(view, "hostile-trials");

    const { items } = await daemon.ask(`experiments/${ids.hostile}/trials`);
    await show(page, daemon, `experiments/${ids.hostile}/trials/${items[0].id}`);
    const log = page.getByRole("log", { name: "stdout" });
    await log.getByText("<script>window.hacked = true</script>").waitFor();
    await log.getByText("started").waitFor();
    assert.match((await log.getByText("started").getAttribute("class")) ?? "", /bold fg-2/);
    await log.getByText(/⟨202E⟩/).waitFor();
    await log.getByText(/1,000,000 characters/).waitFor();
    await isHarmless(page);
    await inspect(view, "hostile-trial");

    await show(page, daemon, `experiments/${ids.hostile}/charts/parallel`);
    await page
      .getByRole("img", { name: /Parallel coordinates/ })
      .first()
      .waitFor();
    await isHarmless(page);
    await page.context().close();
  });
}
