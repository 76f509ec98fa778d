import assert from "node:assert/strict";
import { test } from "node:test";
import { inspect, openPage, show } from "../support/browser.mjs";
import { commandConfig } from "../support/experiments.mjs";

export function tests(world) {
  test("create: completion, checks while writing, and the experiment", async () => {
    const { browser, daemon } = world;
    const view = await openPage(browser, daemon, { expected: [/status of 4\d\d/] });
    const { page } = view;
    await show(page, daemon, "new");
    const editor = page.getByRole("textbox", { name: "Configuration in YAML" });
    const write = async (text) => {
      await editor.click();
      await page.keyboard.press("Control+A");
      await page.keyboard.insertText(text);
    };
    await write("trialConcurrency: many\n");
    await page.getByText("To be corrected").waitFor();
    await inspect(view, "create-wrong");
    await page.keyboard.press("Control+End");
    await page.keyboard.type("maxTri");
    await page.keyboard.press("Control+Space");
    await page.getByRole("option", { name: "maxTrialNumber" }).waitFor();
    await inspect(view, "create-completion");
    await page.keyboard.press("Escape");
    const { searchSpace, ...others } = commandConfig({ experimentName: "written here", maxTrialNumber: 2 });
    await write(JSON.stringify({ ...others, searchSpace }, null, 2));
    await page.getByText("The daemon accepts this configuration.").waitFor();
    await inspect(view, "create");
    await editor.click();
    await page.keyboard.press("Control+Enter");
    await page.getByRole("heading", { name: "written here" }).waitFor();
    const [id] = /experiments\/(\w+)/.exec(page.url()).slice(1);
    await daemon.until(id, ["DONE"]);
    assert.equal((await daemon.ask(`experiments/${id}`)).counts.SUCCEEDED, 2);
    await page.context().close();
  });
}
