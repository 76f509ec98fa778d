import assert from "node:assert/strict";
import { test } from "node:test";
import { inspect, openPage, show } from "../support/browser.mjs";

/** Bytes of the first view, as the daemon sends them: compressed. */
const mostBytes = 150_000;

export function tests(world) {
  test("experiments: list, search, filter, first load", async () => {
    const { browser, daemon } = world;
    const view = await openPage(browser, daemon);
    const { page } = view;
    let loaded = 0;
    page.on("response", async (response) => {
      const length = Number(response.headers()["content-length"] ?? 0);
      if (/\.(js|css|svg|html)$|\/$/.test(new URL(response.url()).pathname)) loaded += length;
    });
    await show(page, daemon, "");
    const rows = page.locator(".vrow");
    await rows.nth(3).waitFor();
    assert.equal(await rows.count(), 4);
    assert.ok(loaded > 0 && loaded < mostBytes, `the first view is ${loaded} bytes`);
    console.log(`first view: ${loaded} bytes`);
    const row = rows.filter({ hasText: "curves" });
    assert.match(await row.innerText(), /Done/);
    assert.match(await row.innerText(), /24 \/ 24/);
    await inspect(view, "experiments");

    await page.getByLabel("Search experiments").fill("curves");
    assert.equal(await rows.count(), 1);
    assert.match(page.url(), /search=curves/);
    await page.getByLabel("Search experiments").fill("nothing like it");
    assert.equal(await rows.count(), 0);
    await page.getByRole("button", { name: "Reset" }).click();
    await page.getByLabel("Status").selectOption("RUNNING");
    assert.equal(await rows.count(), 0);
    await page.getByLabel("Status").selectOption("DONE");
    assert.equal(await rows.count(), 4);
    await row.getByText("curves").click();
    await page.getByRole("heading", { name: "curves" }).waitFor();
    await page.context().close();
  });

  test("experiments: clone, stop, resume and delete", async () => {
    const { browser, daemon, ids } = world;
    const view = await openPage(browser, daemon);
    const { page } = view;
    await show(page, daemon, `experiments/${ids.failing}`);
    await page.getByRole("button", { name: "More" }).click();
    await page.getByRole("menuitem", { name: "Clone…" }).click();
    await page.getByRole("heading", { name: "Clone of an experiment" }).waitFor();
    await page.getByText("experimentName").first().waitFor();
    await page.getByRole("button", { name: "Create" }).click();
    await page.getByRole("heading", { name: "failing" }).waitFor();
    const id = /experiments\/(\w+)/.exec(page.url())[1];
    assert.notEqual(id, ids.failing);
    await daemon.until(id, ["DONE"]);
    await page.getByText("Done", { exact: false }).first().waitFor();
    await page.getByRole("button", { name: "More" }).click();
    await page.getByRole("menuitem", { name: "Delete…" }).click();
    await page.getByRole("button", { name: "Delete", exact: true }).click();
    await page.getByText("This experiment has been deleted").waitFor();
    await page.context().close();
  });
}
