// The list of experiments, newest first, kept up to date by events.
import { get, listen } from "./api.js";
import { h, oncePerFrame } from "./dom.js";
import { duration, number, statusTone, time } from "./format.js";

const pageRows = 100;

function row(experiment) {
  const counts = experiment.counts;
  const ended = Object.entries(counts).reduce((sum, [status, n]) => sum + (status === "WAITING" || status === "RUNNING" ? 0 : n), 0);
  const limit = experiment.config.maxTrialNumber;
  return h("tr", {},
    h("td", {}, h("a", { href: `#/experiments/${experiment.id}` }, experiment.name || experiment.id), " ", h("span", { class: "soft mono" }, experiment.id)),
    h("td", {}, h("span", { class: `status ${statusTone(experiment.status)}` }, experiment.status)),
    h("td", { class: "number" }, limit ? `${ended} / ${limit}` : String(ended)),
    h("td", { class: "number" }, String(counts.RUNNING ?? 0)),
    h("td", { class: "number" }, String(counts.FAILED ?? 0)),
    h("td", { class: "number" }, number(experiment.best?.metric)),
    h("td", { class: "number" }, duration(experiment.runDuration)),
    h("td", {}, time(experiment.createdTime)));
}

export function showExperiments(main, signal) {
  document.title = "Lathe";
  const known = new Map();
  let cursor = "";
  const body = h("tbody", {});
  const note = h("p", { class: "soft" });
  const more = h("button", { onclick: () => fetchPage().catch(report), hidden: true }, "Show more");
  const titles = [["Experiment"], ["Status"], ["Trials ended", 1], ["Running", 1], ["Failed", 1], ["Best", 1], ["Run time", 1], ["Created"]];
  main.append(h("h1", {}, "Experiments"),
    h("div", { class: "card scroll" },
      h("table", {}, h("thead", {}, h("tr", {}, titles.map(([title, isNumber]) => h("th", { class: isNumber && "number" }, title)))), body),
      note, more));

  const draw = oncePerFrame(() => {
    const newestFirst = [...known.values()].sort((a, b) => b.createdTime - a.createdTime);
    body.replaceChildren(...newestFirst.map(row));
    note.textContent = known.size ? "" : "None yet. Create one with: lathectl create --config experiment.yml";
    more.hidden = !cursor;
  });
  const report = (error) => {
    if (error.name !== "AbortError") note.textContent = error.message;
  };
  const fetchPage = async () => {
    const page = await get(`/experiments?limit=${pageRows}${cursor ? `&cursor=${encodeURIComponent(cursor)}` : ""}`, signal);
    for (const experiment of page.items) known.set(experiment.id, experiment);
    cursor = page.nextCursor ?? "";
    draw();
  };
  listen("/events?kinds=experiment,deleted", {
    ready: () => {
      known.clear();
      cursor = "";
      fetchPage().catch(report);
    },
    experiment: (experiment) => {
      known.set(experiment.id, experiment);
      draw();
    },
    deleted: ({ id }) => {
      known.delete(id);
      draw();
    },
  }, signal);
}
