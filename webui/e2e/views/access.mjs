import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { inspect, openPage, show } from "../support/browser.mjs";
import { Daemon } from "../support/daemon.mjs";

export function tests(world) {
  test("access: a token is asked for, and none is ever in an address", async (context) => {
    const { browser } = world;
    const daemon = await new Daemon(["--require-token"]).start();
    context.after(() => daemon.close());
    const view = await openPage(browser, daemon, { expected: [/status of 401/] });
    const { page } = view;
    const addresses = [];
    page.on("request", (request) => addresses.push(request.url()));
    await show(page, daemon, "");
    const dialog = page.getByRole("dialog", { name: "This daemon needs a token" });
    await dialog.waitFor();
    await inspect(view, "access");
    await page.keyboard.press("Escape");
    assert.ok(await dialog.isVisible());
    await page.getByRole("textbox", { name: "Token" }).fill("wrong");
    await page.getByRole("button", { name: "Continue" }).click();
    await page.getByText("The last one is not known to it.").waitFor();
    const token = readFileSync(join(daemon.folder, "operator-token"), "utf8").trim();
    await page.getByRole("textbox", { name: "Token" }).fill(token);
    await page.getByRole("button", { name: "Continue" }).click();
    await page.getByText("There are no experiments yet").waitFor();
    assert.ok(addresses.every((address) => !address.includes(token)));
    assert.deepEqual(view.problems, []);
    await page.context().close();
  });
}
