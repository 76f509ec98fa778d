// A stream of events that outlives its connections: each new one goes on behind the last event of the one before.
import { problemOf } from "./problem";
import { fetchAllowed } from "./session";
import { eventParser, type ServerEvent } from "./sse";
import { Store } from "./store";

/** `none`: this page has nothing to follow. */
export type Connection = "none" | "connecting" | "live" | "broken" | "paused";

/** How the page's stream is; the shell shows it. */
export const connection = new Store<Connection>("none");

/** What the stream needs of the world around it, so that tests can stand in for it. */
export interface Surroundings {
  fetch: typeof fetchAllowed;
  /** Resolves after so many ms, or at once when told to hurry. */
  wait(ms: number, signal: AbortSignal): Promise<void>;
  /** Resolves when the tab is worth updating; at once when it is. */
  whenSeen(signal: AbortSignal): Promise<void>;
  /** Aborts once the tab has been out of sight for a while. */
  unseen(): { signal: AbortSignal; release: () => void };
}

export interface Handlers {
  /** Comes before the first event, and whenever events were lost: the time to fetch what is shown. */
  ready(): void;
  event(kind: string, data: unknown): void;
}

/** The signal of the stream that was started last. */
let latest: AbortSignal | null = null;

const retryAfter = { first: 500, most: 5_000 };
/** The daemon sends a heartbeat every 15 s; a browser does not tell when a connection is dead that was never closed. */
const longestSilence = 45_000;

/** One connection: the events behind `lastId`, until it ends; throws when it breaks, is refused or falls silent. */
async function readEvents(
  path: string,
  lastId: string,
  world: Surroundings,
  signal: AbortSignal,
  onOpen: () => void,
  onEvent: (event: ServerEvent) => void,
): Promise<void> {
  const silence = new AbortController();
  let alarm = setTimeout(() => silence.abort(), longestSilence);
  try {
    const headers: Record<string, string> = { Accept: "text/event-stream" };
    if (lastId) headers["Last-Event-ID"] = lastId;
    const response = await world.fetch(path, {
      headers,
      signal: AbortSignal.any([signal, silence.signal]),
      cache: "no-store",
    });
    if (!response.ok || !response.body) throw await problemOf(response);
    onOpen();
    const parse = eventParser(onEvent);
    const decoder = new TextDecoder();
    const reader = response.body.getReader();
    for (;;) {
      const { value, done } = await reader.read();
      if (done) return;
      clearTimeout(alarm);
      alarm = setTimeout(() => silence.abort(), longestSilence);
      parse(decoder.decode(value, { stream: true }));
    }
  } finally {
    clearTimeout(alarm);
  }
}

/** Follows the events at `path` until `signal` aborts. Never throws: a broken connection is made anew. */
export async function followEvents(
  path: string,
  handlers: Handlers,
  signal: AbortSignal,
  world: Surroundings = browser,
): Promise<void> {
  latest = signal;
  connection.set("connecting");
  let lastId = "";
  let delay = retryAfter.first;
  const onEvent = ({ id, kind, data }: ServerEvent): void => {
    lastId = id;
    if (kind === "ready" || kind === "reset") handlers.ready();
    else handlers.event(kind, JSON.parse(data));
  };
  while (!signal.aborted) {
    const { signal: unseen, release } = world.unseen();
    try {
      await readEvents(path, lastId, world, AbortSignal.any([signal, unseen]), opened, onEvent);
    } catch {
      // Whatever it was, the way on is the same.
    } finally {
      release();
    }
    if (signal.aborted) break;
    if (unseen.aborted) {
      connection.set("paused");
      await world.whenSeen(signal);
    } else {
      connection.set("broken");
      await world.wait(delay, signal);
      delay = Math.min(2 * delay, retryAfter.most);
    }
  }
  // A stream that follows at once, on the page that is opened instead, says its own.
  if (latest === signal) connection.set("none");

  function opened(): void {
    connection.set("live");
    delay = retryAfter.first;
  }
}

/**
 * A browser allows six connections to one address over all of its tabs, and each stream holds one. So a tab that nobody
 * has looked at for half a minute closes its stream, and takes it up again from the last event when it is looked at.
 */
const unseenFor = 30_000;

export const browser: Surroundings = {
  fetch: fetchAllowed,
  wait: (ms, signal) =>
    new Promise((resolve) => {
      const end = (): void => {
        clearTimeout(timer);
        signal.removeEventListener("abort", end);
        window.removeEventListener("online", end);
        resolve();
      };
      const timer = setTimeout(end, ms);
      signal.addEventListener("abort", end);
      window.addEventListener("online", end);
    }),
  whenSeen: (signal) =>
    new Promise((resolve) => {
      const look = (): void => {
        if (document.visibilityState !== "visible" && !signal.aborted) return;
        document.removeEventListener("visibilitychange", look);
        signal.removeEventListener("abort", look);
        resolve();
      };
      document.addEventListener("visibilitychange", look);
      signal.addEventListener("abort", look);
      look();
    }),
  unseen: () => {
    const controller = new AbortController();
    let timer: ReturnType<typeof setTimeout> | undefined;
    const look = (): void => {
      clearTimeout(timer);
      if (document.visibilityState === "hidden") timer = setTimeout(() => controller.abort(), unseenFor);
    };
    document.addEventListener("visibilitychange", look);
    look();
    return {
      signal: controller.signal,
      release: () => {
        clearTimeout(timer);
        document.removeEventListener("visibilitychange", look);
      },
    };
  },
};
