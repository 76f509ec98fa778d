// The chosen trial: its intermediate results, its parameters, and the end of its log.
import { get, logTail } from "./api.js";
import { h, oncePerFrame } from "./dom.js";
import { number, statusTone } from "./format.js";
import { curve } from "./scatter.js";
import { saveFile } from "./session.js";

const logs = ["stdout", "stderr", "trial.log"];
const logLines = 200;

const scalar = (value) => (typeof value === "object" && value !== null ? value.default : value);

/** A panel for one trial at a time: {element, choose(trial), update(trial), addMetric(metric)}. */
export function trialPanel(experimentId, signal) {
  const element = h("section", { class: "card", hidden: true });
  const chart = h("div", {});
  const facts = h("p", { class: "soft" });
  const parameters = h("pre", {});
  const text = h("pre", {}, "");
  const downloads = h("span", { class: "end" });
  const title = h("h2", {});
  let trial = null;
  let values = new Map();
  let log = "stdout";
  let waiting = null;

  const choice = h("select", { "aria-label": "Log", onchange: () => ((log = choice.value), fetchLog()) }, logs.map((name) => h("option", {}, name)));
  element.append(h("div", { class: "row" }, title, downloads), facts, chart, h("h2", {}, "Parameters"), parameters,
    h("div", { class: "row" }, h("h2", {}, "Log"), choice, h("button", { onclick: () => fetchLog() }, "Refresh")), text);

  const draw = oncePerFrame(() => {
    if (!trial) return;
    const points = [...values.entries()].sort(([a], [b]) => a - b).map(([, value]) => value).filter(Number.isFinite);
    chart.replaceChildren(points.length > 1 ? curve(points) : h("p", { class: "soft" }, points.length ? `One intermediate result: ${number(points[0])}` : "No intermediate results."));
    title.replaceChildren(`Trial ${trial.sequence} `, h("span", { class: "soft mono" }, trial.id), " ", h("span", { class: `status ${statusTone(trial.status)}` }, trial.status));
    facts.textContent = [trial.waitReason, trial.reason, trial.note, trial.directory].filter(Boolean).join(" · ");
    parameters.textContent = JSON.stringify(trial.parameters, null, 2);
    const base = `/api/v1/experiments/${experimentId}/trials/${trial.id}/files`;
    const isBuiltIn = trial.status === "SUCCEEDED" && trial.finalMetric?.parameters !== undefined;
    const files = ["compressed.pt", ...(trial.finalMetric?.int8_accuracy === undefined && trial.finalMetric?.int8_loss === undefined ? [] : ["int8.pt"]), "report.json"];
    downloads.replaceChildren(...(isBuiltIn ? files.flatMap((name) => [h("a", { href: `${base}/${name}`, download: true, onclick: saveFile }, name), " "]) : []));
  });

  async function fetchLog() {
    const wanted = trial.id;
    const lines = await logTail(experimentId, wanted, log, logLines, signal).catch(() => null);
    if (trial.id !== wanted) return;
    text.textContent = lines ?? "There is none.";
    text.scrollTop = text.scrollHeight;
  }

  /** While a trial runs its log is fetched anew at most every two seconds, when events tell that it is alive. */
  function fetchLogSoon() {
    waiting ??= setTimeout(() => {
      waiting = null;
      if (!signal.aborted) fetchLog();
    }, 2000);
  }

  async function fetchMetrics() {
    const wanted = trial.id;
    let cursor = "";
    do {
      const page = await get(`/experiments/${experimentId}/trials/${wanted}/metrics?type=PERIODICAL&limit=1000${cursor ? `&cursor=${encodeURIComponent(cursor)}` : ""}`, signal);
      if (trial.id !== wanted) return;
      for (const metric of page.items) values.set(metric.sequence, scalar(metric.value));
      cursor = page.nextCursor ?? "";
      draw();
    } while (cursor);
  }

  return {
    element,
    choose(chosen) {
      trial = chosen;
      values = new Map();
      element.hidden = false;
      text.textContent = "";
      draw();
      fetchMetrics().catch(() => {});
      fetchLog();
    },
    update(changed) {
      if (changed.id !== trial?.id) return;
      trial = changed;
      draw();
      fetchLogSoon();
    },
    addMetric(metric) {
      if (metric.trialId !== trial?.id || metric.type !== "PERIODICAL") return;
      values.set(metric.sequence, scalar(metric.value));
      draw();
      fetchLogSoon();
    },
  };
}
