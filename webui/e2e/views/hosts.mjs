import assert from "node:assert/strict";
import { test } from "node:test";
import { inspect, openPage, show } from "../support/browser.mjs";

export function tests(world) {
  test("hosts: load, test, drain and resume", async () => {
    const { browser, daemon } = world;
    const view = await openPage(browser, daemon);
    const { page } = view;
    await show(page, daemon, "hosts");
    const card = page.getByRole("region", { name: "This machine" });
    await card.getByRole("meter", { name: /^Memory/ }).waitFor();
    await card.getByRole("button", { name: "Test" }).click();
    await page
      .getByRole("dialog")
      .getByText(/trials can run there/)
      .waitFor();
    await inspect(view, "hosts-test");
    await page.getByRole("button", { name: "Close" }).click();
    await card.getByRole("button", { name: "Drain" }).click();
    await card.getByText(/drained/).waitFor();
    assert.equal((await daemon.ask("hosts/local")).drained, true);
    await inspect(view, "hosts");
    await card.getByRole("button", { name: "Resume" }).click();
    await card.getByText("ready").waitFor();
    await page.context().close();
  });
}
