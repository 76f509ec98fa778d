// The daemon's REST interface.

/** The JSON at a path; throws an Error with the problem's detail (and its status) when refused. */
export async function get(path, signal) {
  const response = await fetch(`/api/v1${path}`, { signal });
  if (response.ok) return response.json();
  const problem = await response.json().catch(() => ({}));
  throw Object.assign(new Error(problem.detail ?? response.statusText), { status: response.status });
}

/** The last lines of a trial's log; null when there is none. */
export async function logTail(experiment, trial, name, lines, signal) {
  const response = await fetch(`/api/v1/experiments/${experiment}/trials/${trial}/logs/${name}?tail=${lines}`, { signal });
  return response.ok ? response.text() : null;
}

/**
 * Server-sent events until `signal` aborts. handlers: {ready, experiment, trial, metric, deleted}, called with the data. `ready`
 * comes before the first event and whenever events were lost: the time to fetch. The browser itself reconnects with the id of
 * the last event; only when it gives up is a new stream begun, from the same id.
 */
export function listen(path, handlers, signal) {
  const light = document.getElementById("live");
  let lastId = "";
  let source;
  let retry;
  const show = (isOn) => {
    light.classList.toggle("on", isOn);
    light.textContent = isOn ? "live" : "reconnecting";
  };
  const open = () => {
    const separator = path.includes("?") ? "&" : "?";
    source = new EventSource(`/api/v1${path}${lastId ? `${separator}lastEventId=${encodeURIComponent(lastId)}` : ""}`);
    source.onopen = () => show(true);
    source.onerror = () => {
      show(false);
      if (source.readyState === EventSource.CLOSED) retry = setTimeout(open, 3000);
    };
    for (const kind of ["ready", "reset", "experiment", "trial", "metric", "deleted"]) {
      source.addEventListener(kind, (event) => {
        lastId = event.lastEventId;
        handlers[kind === "reset" ? "ready" : kind]?.(JSON.parse(event.data));
      });
    }
  };
  open();
  signal.addEventListener("abort", () => {
    clearTimeout(retry);
    source.close();
  });
}
