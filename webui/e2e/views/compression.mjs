import assert from "node:assert/strict";
import { test } from "node:test";
import { inspect, openPage, show } from "../support/browser.mjs";

export function tests(world) {
  test("compression: the front, and the card of a model that is picked", async () => {
    const { browser, daemon, ids } = world;
    const view = await openPage(browser, daemon);
    const { page } = view;
    await show(page, daemon, `experiments/${ids.lenet}/compression`);
    await page.getByRole("img", { name: /on the Pareto front of Size, Accuracy/ }).waitFor();
    const front = page.getByRole("region", { name: "Models on the front" });
    await front.getByText("Original").waitFor();
    await page.getByText(/metric\.accuracy >=/).waitFor();
    await front.getByRole("button").first().click();
    const [trial] = /trial=(\w+)/.exec(page.url()).slice(1);
    await page.getByText(`lathectl --url ${daemon.url} trial download ${ids.lenet} ${trial}`).waitFor();
    const layers = page.getByRole("region", { name: "Layers", exact: true }).last();
    for (const name of ["conv1", "conv2", "fc1", "fc2"]) await layers.getByRole("rowheader", { name }).waitFor();
    assert.ok((await page.locator(".network .node-after").count()) >= 4);
    await inspect(view, "compression-front");
    await page.getByLabel("Third").selectOption("macs");
    await page.getByRole("img", { name: /Size, Accuracy, MACs/ }).waitFor();
    await inspect(view, "compression-three");
    await page.locator(".network").scrollIntoViewIfNeeded();
    await inspect(view, "compression-card");
    await page.context().close();
  });

  test("compression: layers of all trials", async () => {
    const { browser, daemon, ids } = world;
    const view = await openPage(browser, daemon);
    const { page } = view;
    await show(page, daemon, `experiments/${ids.lenet}/compression/layers`);
    await page.getByRole("img", { name: /Sparsity, layer by layer\. 4 layers of 6 trials/ }).waitFor();
    await page.getByRole("combobox", { name: /^Colour/ }).selectOption("channels");
    await page.getByRole("img", { name: /Channels kept, layer by layer/ }).waitFor();
    await inspect(view, "compression-layers");
    await page.context().close();
  });
}
