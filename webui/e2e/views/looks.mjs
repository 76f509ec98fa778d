import assert from "node:assert/strict";
import { test } from "node:test";
import { inspect, openPage, show } from "../support/browser.mjs";

const places = {
  list: "",
  overview: "",
  trials: "/trials",
  charts: "/charts/parallel",
  compression: "/compression",
  hosts: "",
};

const placeOf = (name, id) => (name === "list" ? "" : name === "hosts" ? "hosts" : `experiments/${id}${places[name]}`);

export function tests(world) {
  test("looks: dark", async () => {
    const { browser, daemon, ids } = world;
    for (const name of Object.keys(places)) {
      const view = await openPage(browser, daemon, { colorScheme: "dark" });
      await show(view.page, daemon, placeOf(name, ids.lenet));
      await view.page.locator("main .card, .vrow, .chart").first().waitFor();
      await view.page.waitForLoadState("networkidle", { timeout: 1_500 }).catch(() => undefined);
      await inspect(view, `dark-${name}`);
      await view.page.context().close();
    }
  });

  test("looks: a narrow screen", async () => {
    const { browser, daemon, ids } = world;
    for (const name of Object.keys(places)) {
      const view = await openPage(browser, daemon, { viewport: { width: 390, height: 800 } });
      await show(view.page, daemon, placeOf(name, ids.lenet));
      await view.page.locator("main .card, .vrow, .chart").first().waitFor();
      const { scroll, width } = await view.page.evaluate(() => ({
        scroll: document.documentElement.scrollWidth,
        width: document.documentElement.clientWidth,
      }));
      assert.ok(scroll <= width + 1, `${name} is ${scroll} wide on a screen of ${width}`);
      await inspect(view, `narrow-${name}`);
      await view.page.context().close();
    }
  });
}
