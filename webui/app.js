// Shows the page that the address names: `#/` the experiments, `#/experiments/ID` one of them.
import { h } from "./dom.js";
import { showExperiment } from "./experiment.js";
import { showExperiments } from "./experiments.js";

const routes = [
  [/^#\/experiments\/([a-z0-9]+)$/, showExperiment],
  [/^(#\/?)?$/, showExperiments],
];

let leave = new AbortController();

function show() {
  leave.abort();
  leave = new AbortController();
  const main = document.getElementById("main");
  main.replaceChildren();
  for (const [pattern, page] of routes) {
    const match = pattern.exec(location.hash);
    if (match) return page(main, leave.signal, ...match.slice(1));
  }
  main.append(h("h1", {}, "There is no such page"), h("a", { href: "#/" }, "All experiments"));
}

window.addEventListener("hashchange", show);
show();
