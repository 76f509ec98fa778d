// The dashboard as a person uses it, against a real daemon that runs real experiments.
import { after, before, describe } from "node:test";
import { openBrowser } from "./support/browser.mjs";
import { Daemon } from "./support/daemon.mjs";
import { commandConfig, compressionConfig, hostileConfig, makeLenet } from "./support/experiments.mjs";
import * as access from "./views/access.mjs";
import * as charts from "./views/charts.mjs";
import * as compression from "./views/compression.mjs";
import * as create from "./views/create.mjs";
import * as experiments from "./views/experiments.mjs";
import * as hosts from "./views/hosts.mjs";
import * as hostile from "./views/hostile.mjs";
import * as live from "./views/live.mjs";
import * as looks from "./views/looks.mjs";
import * as overview from "./views/overview.mjs";
import * as recovery from "./views/recovery.mjs";
import * as trial from "./views/trial.mjs";
import * as trials from "./views/trials.mjs";

/** What the views share: daemon, browser, and the ids of finished experiments by name. */
const world = { daemon: null, browser: null, ids: {} };

async function prepare() {
  world.daemon = await new Daemon().start();
  const { daemon, ids } = world;
  ids.curves = (await daemon.create(commandConfig())).id;
  ids.hostile = (await daemon.create(hostileConfig())).id;
  ids.failing = (
    await daemon.create(
      commandConfig({
        experimentName: "failing",
        maxTrialNumber: 2,
        maxRetries: 0,
        searchSpace: { x: { _type: "choice", _value: [0.5] }, fails: { _type: "choice", _value: [true] } },
      }),
    )
  ).id;
  const lenet = makeLenet(daemon.folder);
  ids.lenet = (await daemon.create(compressionConfig(lenet))).id;
  for (const id of Object.values(ids)) await daemon.until(id, ["DONE"]);
  world.browser = await openBrowser();
}

describe("dashboard", () => {
  before(prepare, { timeout: 300_000 });
  after(async () => {
    await world.browser?.close();
    await world.daemon?.close();
  });
  for (const view of [
    experiments,
    overview,
    trials,
    trial,
    charts,
    compression,
    hosts,
    create,
    hostile,
    live,
    looks,
    access,
    recovery,
  ]) {
    view.tests(world);
  }
});
