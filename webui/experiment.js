// One experiment: how far it is, what it has found, and its trials, kept up to date by events.
import { get, listen } from "./api.js";
import { h, oncePerFrame } from "./dom.js";
import { duration, measures, number, parameters, statusTone, time } from "./format.js";
import { scatter } from "./scatter.js";
import { saveFile } from "./session.js";
import { trialPanel } from "./trial.js";

const pageRows = 50;
const plottedTrials = 1000;
const sortings = [["-sequence", "newest first"], ["sequence", "oldest first"], ["-metric", "highest metric"], ["metric", "lowest metric"]];

const fact = (name, value) => h("div", {}, h("dt", {}, name), h("dd", {}, value));
const status = (name) => h("span", { class: `status ${statusTone(name)}` }, name);

function summary(experiment) {
  const counts = experiment.counts;
  const ended = Object.entries(counts).reduce((sum, [name, n]) => sum + (name === "WAITING" || name === "RUNNING" ? 0 : n), 0);
  const { maxTrialNumber, maxExperimentDuration, trialConcurrency, tuner } = experiment.config;
  return [
    h("p", { class: "soft" }, h("a", { href: "#/" }, "Experiments"), " / ", h("span", { class: "mono" }, experiment.id)),
    h("h1", {}, experiment.name || experiment.id, " ", status(experiment.status)),
    experiment.error && h("div", { class: "card notice" }, experiment.error),
    experiment.warnings.length > 0 && h("div", { class: "card notice warning" }, experiment.warnings.map((warning) => h("div", {}, warning))),
    h("section", { class: "card" },
      maxTrialNumber ? h("progress", { max: maxTrialNumber, value: ended, "aria-label": "Trials ended" }) : null,
      h("dl", { class: "facts" },
        fact("Trials ended", maxTrialNumber ? `${ended} of ${maxTrialNumber}` : String(ended)),
        Object.entries(counts).filter(([, n]) => n > 0).map(([name, n]) => h("div", {}, status(name), String(n))),
        fact("At once", String(trialConcurrency)),
        fact("Tuner", tuner?.name ?? "–"),
        fact("Run time", duration(experiment.runDuration) + (maxExperimentDuration ? ` of ${maxExperimentDuration}` : "")),
        fact("Started", time(experiment.startTime)),
        experiment.preparation !== "NONE" && fact("Original measured", experiment.preparation.toLowerCase()),
        experiment.best && fact("Best", `${number(experiment.best.metric)} (${experiment.best.trialId})`),
        fact("Folder", h("code", {}, experiment.directory)))),
  ];
}

function comparison(baseline, best) {
  const change = ({ key, better }) => {
    const [before, after] = [baseline?.[key], best?.[key]];
    if (typeof before !== "number" || typeof after !== "number" || before === 0) return h("td", { class: "number" });
    const difference = key === "accuracy" ? 100 * (after - before) : 100 * (after / before - 1);
    const tone = difference * better > 0.005 ? "better" : difference * better < -0.005 ? "worse" : "";
    return h("td", { class: `number ${tone}` }, `${difference > 0 ? "+" : ""}${difference.toFixed(2)} ${key === "accuracy" ? "points" : "%"}`);
  };
  const cell = (model, { key, show }) => h("td", { class: "number" }, typeof model?.[key] === "number" ? show(model[key]) : "–");
  const known = measures.filter(({ key }) => baseline?.[key] !== undefined || best?.[key] !== undefined);
  return h("table", {},
    h("thead", {}, h("tr", {}, h("th", {}), ["Original", "Best", "Change"].map((title) => h("th", { class: "number" }, title)))),
    h("tbody", {}, known.map((measure) => h("tr", {}, h("td", {}, measure.title), cell(baseline, measure), cell(best, measure), change(measure)))));
}

/** The algorithm is the first parameter with a `_name` of its own, under whatever key; what it owns is shown without the key. */
function splitAlgorithm(all) {
  const key = Object.keys(all).find((candidate) => typeof all[candidate]?._name === "string");
  if (key === undefined) return { name: "", own: all };
  const { [key]: { _name: name, ...sub }, ...others } = all;
  return { name, own: { ...sub, ...others } };
}

function trialRow(trial, shown, isBest, isChosen, choose) {
  const metrics = typeof trial.finalMetric === "object" ? trial.finalMetric : null;
  const { name, own } = splitAlgorithm(trial.parameters ?? {});
  const text = parameters(own);
  return h("tr", { class: `open ${isChosen ? "chosen" : ""}`, onclick: choose },
    h("td", { class: "number" }, h("button", { class: "link" }, String(trial.sequence))),
    h("td", {}, status(trial.status), isBest && h("span", { class: "star", title: "best so far" }, " ★")),
    h("td", {}, name),
    h("td", { class: "params mono", title: text }, text),
    h("td", { class: "number" }, number(trial.metric)),
    shown.map(({ key, show }) => h("td", { class: "number" }, typeof metrics?.[key] === "number" ? show(metrics[key]) : "–")),
    h("td", { class: "number" }, duration(trial.duration)),
    h("td", { class: "reason soft" }, trial.reason ?? trial.waitReason ?? ""));
}

/** A page of the trials table, sorted and paged by the daemon. */
class TrialPage {
  constructor(path, signal, changed) {
    Object.assign(this, { path, signal, changed, sort: "-sequence", cursors: [""], next: "", trials: [] });
  }

  async fetch() {
    const cursor = this.cursors.at(-1);
    const page = await get(`${this.path}?limit=${pageRows}&sort=${this.sort}${cursor ? `&cursor=${encodeURIComponent(cursor)}` : ""}`, this.signal);
    this.trials = page.items;
    this.next = page.nextCursor ?? "";
    this.changed();
  }

  /** Puts a changed trial in its place. On the first page of a list by number a new one is put in front or behind. */
  update(trial) {
    const index = this.trials.findIndex(({ id }) => id === trial.id);
    if (index >= 0) this.trials[index] = trial;
    else if (this.sort === "-sequence" && this.cursors.length === 1) this.trials = [trial, ...this.trials].slice(0, pageRows);
    else if (this.sort === "sequence" && !this.next && this.trials.length < pageRows) this.trials.push(trial);
    this.trials.sort(TrialPage.orders[this.sort]);
  }

  static orders = {
    "sequence": (a, b) => a.sequence - b.sequence,
    "-sequence": (a, b) => b.sequence - a.sequence,
    "metric": (a, b) => (a.metric ?? Infinity) - (b.metric ?? Infinity),
    "-metric": (a, b) => (b.metric ?? -Infinity) - (a.metric ?? -Infinity),
  };
}

export function showExperiment(main, signal, id) {
  const path = `/experiments/${id}`;
  let experiment = null;
  let best = null;
  let chosen = null;
  const finished = new Map();
  const top = h("div", {});
  const compared = h("div", { class: "scroll" });
  const plot = h("div", {});
  const head = h("thead", {});
  const body = h("tbody", {});
  const panel = trialPanel(id, signal);
  const page = new TrialPage(`${path}/trials`, signal, () => draw());
  const turn = (step) => {
    step();
    page.fetch().catch(report);
  };
  const previous = h("button", { onclick: () => turn(() => page.cursors.pop()) }, "Previous");
  const next = h("button", { onclick: () => turn(() => page.cursors.push(page.next)) }, "Next");
  const sort = h("select", { "aria-label": "Order", onchange: () => turn(() => Object.assign(page, { sort: sort.value, cursors: [""] })) },
    sortings.map(([value, title]) => h("option", { value }, title)));
  const exports = ["csv", "json"].map((format) => [h("a", { href: `/api/v1${path}/export?format=${format}`, download: `${id}.${format}`, onclick: saveFile }, format), " "]);
  const results = h("div", { class: "columns" },
    h("section", { class: "card" }, h("h2", {}, "Original and best"), compared),
    h("section", { class: "card" }, h("h2", {}, "Accuracy against parameters kept"), plot));
  main.append(top, results,
    h("section", { class: "card" },
      h("div", { class: "row" }, h("h2", {}, "Trials"), sort, h("span", { class: "soft" }, "export: ", exports), h("span", { class: "end row" }, previous, next)),
      h("div", { class: "scroll" }, h("table", {}, head, body))),
    panel.element);

  function report(error) {
    if (error.name !== "AbortError") top.replaceChildren(h("div", { class: "card notice" }, error.message), h("p", {}, h("a", { href: "#/" }, "All experiments")));
  }

  function choose(trial) {
    chosen = trial.id;
    panel.choose(trial);
    draw();
  }

  function drawPlot() {
    const baseline = experiment.baseline;
    const points = [...finished.values()]
      .filter(({ finalMetric }) => typeof finalMetric?.accuracy === "number" && typeof finalMetric?.parameters === "number")
      .map((trial) => ({
        x: trial.finalMetric.parameters / baseline.parameters, y: trial.finalMetric.accuracy, label: `trial ${trial.sequence}`,
        isBest: trial.id === experiment.best?.trialId, isChosen: trial.id === chosen, choose: () => choose(trial),
      }));
    plot.replaceChildren(scatter(points, { y: baseline.accuracy }));
  }

  const draw = oncePerFrame(() => {
    if (!experiment) return;
    document.title = `${experiment.name || id} – Lathe`;
    top.replaceChildren(...summary(experiment).filter(Boolean));
    const isMeasured = typeof experiment.baseline?.accuracy === "number" && experiment.baseline.parameters > 0;
    results.hidden = !isMeasured;
    if (isMeasured) {
      compared.replaceChildren(comparison({ speedup: 1, ...experiment.baseline }, best?.finalMetric));
      drawPlot();
    }
    const shown = measures.filter(({ key }) => key !== "loss" && page.trials.some(({ finalMetric }) => finalMetric?.[key] !== undefined));
    const titles = [["#", 1], ["Status"], ["Algorithm"], ["Parameters"], ["Metric", 1], ...shown.map(({ title }) => [title, 1]), ["Duration", 1], ["Reason"]];
    head.replaceChildren(h("tr", {}, titles.map(([title, isNumber]) => h("th", { class: isNumber && "number" }, title))));
    body.replaceChildren(...page.trials.map((trial) => trialRow(trial, shown, trial.id === experiment.best?.trialId, trial.id === chosen, () => choose(trial))));
    previous.disabled = page.cursors.length === 1;
    next.disabled = !page.next;
  });

  async function fetchBest() {
    const wanted = experiment.best?.trialId;
    if (!wanted || best?.id === wanted) return;
    best = finished.get(wanted) ?? (await get(`${path}/trials/${wanted}`, signal));
    draw();
  }

  async function fetchFinished() {
    const ended = await get(`${path}/trials?status=SUCCEEDED&sort=-sequence&limit=${plottedTrials}`, signal);
    for (const trial of ended.items) finished.set(trial.id, trial);
    draw();
  }

  listen(`${path}/events`, {
    ready: async () => {
      try {
        experiment = await get(path, signal);
        await Promise.all([page.fetch(), fetchFinished()]);
        await fetchBest();
      } catch (error) {
        report(error);
      }
    },
    experiment: (changed) => {
      experiment = changed;
      fetchBest().catch(report);
      draw();
    },
    trial: (trial) => {
      page.update(trial);
      if (trial.status === "SUCCEEDED") finished.set(trial.id, trial);
      panel.update(trial);
      draw();
    },
    metric: (metric) => panel.addMetric(metric),
    deleted: () => (location.hash = "#/"),
  }, signal);
}
