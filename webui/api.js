// The daemon's REST interface.
import { readEvents } from "./event_stream.js";
import { fetchAllowed } from "./session.js";

/** The JSON at a path; throws an Error with the problem's detail (and its status) when refused. */
export async function get(path, signal) {
  const response = await fetchAllowed(`/api/v1${path}`, { signal });
  if (response.ok) return response.json();
  const problem = await response.json().catch(() => ({}));
  throw Object.assign(new Error(problem.detail ?? response.statusText), { status: response.status });
}

/** The last lines of a trial's log; null when there is none. */
export async function logTail(experiment, trial, name, lines, signal) {
  const response = await fetchAllowed(`/api/v1/experiments/${experiment}/trials/${trial}/logs/${name}?tail=${lines}`, { signal });
  return response.ok ? response.text() : null;
}

const retryAfter = 3000;
// The daemon sends a heartbeat every 15 s; the browser does not tell when a connection is dead without having been closed.
const longestSilence = 45000;

/**
 * Server-sent events until `signal` aborts. handlers: {ready, experiment, trial, metric, deleted}, called with the data. `ready`
 * comes before the first event and whenever events were lost: the time to fetch. A connection that ends is made anew, from the id
 * of the last event on.
 */
export async function listen(path, handlers, signal) {
  const light = document.getElementById("live");
  let lastId = "";
  const show = (isOn) => {
    light.classList.toggle("on", isOn);
    light.textContent = isOn ? "live" : "reconnecting";
  };
  const onEvent = ({ id, kind, data }) => {
    lastId = id;
    handlers[kind === "reset" ? "ready" : kind]?.(JSON.parse(data));
  };
  while (!signal.aborted) {
    await readEvents(`/api/v1${path}`, lastId, { onOpen: () => show(true), onEvent, signal, longestSilence }).catch((error) => signal.aborted || console.warn(error));
    if (signal.aborted) return;
    show(false);
    await new Promise((resolve) => setTimeout(resolve, retryAfter));
  }
}
